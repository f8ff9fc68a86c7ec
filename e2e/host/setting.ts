const search = new URLSearchParams(window.location.search);

/** What the address of the host page asks for. */
export const setting = (name: string, otherwise: string) => search.get(name) ?? otherwise;
