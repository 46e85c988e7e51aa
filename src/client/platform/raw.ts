// Marks objects that frameworks must not wrap.

/**
 * Added to an object whose class has private members: Vue would wrap it in a reactive proxy in `data`, `ref` or a
 * store of Pinia, and private members cannot be read through a proxy. The same mark as Vue's `markRaw` sets.
 */
export const RAW = { __v_skip: true } as const;
