// The console's way to the server. Addresses are relative, so that any prefix will do; the token
// travels in a header and nowhere else.
let token = recall();
let onRefused = () => {};

export const hasToken = () => token !== "";
export const whenRefused = (act) => (onRefused = act);

export function useToken(value) {
  token = value;
  try {
    sessionStorage.setItem("livepitch.token", value);
  } catch {
    // storage may be forbidden; then the token lives as long as the page
  }
}

function recall() {
  try {
    return sessionStorage.getItem("livepitch.token") ?? "";
  } catch {
    return "";
  }
}

export const headers = (more = {}) => (token ? { ...more, Authorization: `Bearer ${token}` } : more);
export const bearer = () => token;

async function call(method, path, body) {
  const options = { method, headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }) };
  if (body !== undefined) options.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Is the show still running?");
  }
  if (answer.status === 401) onRefused();
  if (!answer.ok) throw new Error(await reason(answer));
  return answer;
}

async function reason(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `The server said ${answer.status}.`;
  }
}

const json = async (...parts) => (await call(...parts)).json();
export const get = (path, query = {}) => json("GET", withQuery(path, query));
export const post = (path, body = {}) => json("POST", path, body);
export const put = (path, body) => json("PUT", path, body);
export const patch = (path, body) => json("PATCH", path, body);

// Downloads need the header too, so they are fetched and then saved.
export async function download(path, query, name) {
  save(await (await call("GET", withQuery(path, query))).blob(), name);
}

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function withQuery(path, query) {
  const wanted = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return wanted.length ? `${path}?${new URLSearchParams(wanted)}` : path;
}

export const api = (path) => `api/console${path}`;
export const part = encodeURIComponent;
