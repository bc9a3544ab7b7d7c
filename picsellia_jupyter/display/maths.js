// Short names in the script that outputs hold.

export const { ceil, floor, max, min, round } = Math;

export const within = (low, value, high) => max(low, min(high, value));
