// Objects that frameworks leave as they are.

/**
 * Of an object whose class has private members: Vue would make a reactive proxy of one in `data`, `ref` or a store of
 * Pinia, through which those are not reached. The mark that Vue's own `markRaw` sets.
 */
export const RAW = { __v_skip: true } as const;
