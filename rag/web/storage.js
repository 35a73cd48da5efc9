// A browser that forbids storage throws where it is looked at: the page then keeps things for itself.
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].getItem("");
  } catch {
    const kept = new Map();
    const value = {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, text) => kept.set(String(key), String(text)),
      removeItem: (key) => kept.delete(String(key)),
      clear: () => kept.clear(),
      key: (at) => [...kept.keys()][at] ?? null,
      get length() { return kept.size; },
    };
    Object.defineProperty(window, name, { value });
  }
}
