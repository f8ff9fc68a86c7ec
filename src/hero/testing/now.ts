/** The time at which the fixtures are looked at. */
export const now = Date.UTC(2026, 10, 24, 3, 33, 30);
