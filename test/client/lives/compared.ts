// Texts by which presences and states are compared, whatever the order of their members.

export const usersOf = (
  members: Iterable<{ readonly userId: string; readonly state: unknown }>,
): string => JSON.stringify([...members].map(({ userId, state }) => [userId, state]).toSorted());

export const sortedState = (state: unknown): string =>
  state === undefined ? "none" : JSON.stringify(Object.entries(state as object).toSorted());
