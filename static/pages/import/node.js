// Speaks to the node's API of uploads. Its errors say what they are about, so that the sender knows what to do.

export class OfTheFile extends Error {} // this file can't be taken; the next one can
export class Ended extends Error {} // the delivery takes no more files
export class NotAllowed extends Error {} // signed out, or a right was withdrawn
export class Aborted extends Error {} // the person stopped it

export class Uploads {
  constructor(address, csrf) {
    this.address = address;
    this.csrf = csrf;
  }

  begin = () => this.#request("POST", this.address, { json: {} });
  state = (id) => this.#request("GET", `${this.address}${id}/`);
  done = (id) => this.#request("POST", `${this.address}${id}/done/`, { json: {} });
  cancel = (id) => this.#request("DELETE", `${this.address}${id}/`);

  // One small file, or a small ZIP: what became of each file in it.
  file = (id, path, body, watched) =>
    this.#request("POST", `${this.address}${id}/files/?name=${encodeURIComponent(path)}`, { body, ...watched });

  // A large file comes: {id, received, piece_bytes, is_taken_in}.
  beginFile = (id, facts) => this.#request("POST", `${this.address}${id}/large-files/`, { json: facts });

  // The next piece of it. An answer 409 that says how much is here is an answer like any other.
  piece = (id, file, offset, body, watched) =>
    this.#request("PATCH", `${this.address}${id}/large-files/${file}/?offset=${offset}`, { body, ...watched });

  leaveOut = (id, file) => this.#request("DELETE", `${this.address}${id}/large-files/${file}/`);

  #request(method, address, { json, body, onProgress, signal } = {}) {
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest(); // fetch tells nothing of what has left
      request.open(method, address);
      request.setRequestHeader("X-CSRFToken", this.csrf);
      request.setRequestHeader("Content-Type", json ? "application/json" : "application/octet-stream");
      if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
      request.onload = () => {
        const told = parsed(request.responseText);
        if (request.status < 300 || (request.status === 409 && "received" in told)) done(told);
        else fail(errorOf(request.status, told));
      };
      request.onerror = () => fail(new Error("The node can't be reached."));
      request.onabort = () => fail(new Aborted("Stopped."));
      if (signal?.aborted) return fail(new Aborted("Stopped."));
      signal?.addEventListener("abort", () => request.abort(), { once: true });
      request.send(json ? JSON.stringify(json) : (body ?? null));
    });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // not JSON: a proxy's page; the number has to do
  }
}

function errorOf(status, told) {
  const fields = Object.values(told.fields ?? {}).flat();
  const sentence = fields[0] ?? told.reason ?? `The node answered ${status}.`;
  if ([400, 413, 415].includes(status)) return new OfTheFile(sentence);
  if (status === 409) return new Ended(sentence);
  if ([401, 403, 404].includes(status)) return new NotAllowed(sentence);
  return new Error(sentence);
}
