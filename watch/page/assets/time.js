// time formats milliseconds with a suitable unit.
export function time(ms) {
  const digits = (v) => v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0);
  if (ms < 0.1) return digits(ms * 1e3) + " µs";
  if (ms < 999.5) return digits(ms) + " ms";
  if (ms < 600e3) return digits(ms / 1e3) + " s";
  if (ms < 36e6) return digits(ms / 60e3) + " min";
  return digits(ms / 3600e3) + " h";
}
