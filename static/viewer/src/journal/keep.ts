/** Where edits wait on this computer until the server has acknowledged them: IndexedDB. */
import type { Edit } from "../api/types";

export interface KeptEdit extends Edit {
  /** Whose work this is: user and read. */
  owner: string;
  /** Counts up; the order in which the reader worked. */
  order: number;
  /** The waiting edit of the same object that this one builds on; its version is not known yet. */
  follows: string | null;
}

export interface Keep {
  all(): Promise<KeptEdit[]>;
  put(edits: KeptEdit[]): Promise<void>;
  remove(ids: string[]): Promise<void>;
}

const DATABASE = "atlas-journal";
const STORE = "edits";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("owner", "owner");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class BrowserKeep implements Keep {
  private readonly owner: string;
  private database: Promise<IDBDatabase> | null = null;

  constructor(owner: string) {
    this.owner = owner;
  }

  private async store<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => T): Promise<T> {
    this.database ??= opened();
    const database = await this.database;
    return new Promise((resolve, reject) => {
      // "strict" waits for the disk: the page says "kept on this computer", so it has to be.
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const result = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  async all(): Promise<KeptEdit[]> {
    const request = await this.store("readonly", (store) => store.index("owner").getAll(this.owner));
    return (request.result as KeptEdit[]).sort((a, b) => a.order - b.order);
  }

  async put(edits: KeptEdit[]): Promise<void> {
    await this.store("readwrite", (store) => {
      for (const edit of edits) store.put(edit);
    });
  }

  async remove(ids: string[]): Promise<void> {
    await this.store("readwrite", (store) => {
      for (const id of ids) store.delete(id);
    });
  }
}

/** For tests, and for browsers that allow no storage: says so by keeping nothing across a reload. */
export class MemoryKeep implements Keep {
  readonly kept = new Map<string, KeptEdit>();
  async all(): Promise<KeptEdit[]> {
    return [...this.kept.values()].sort((a, b) => a.order - b.order);
  }
  async put(edits: KeptEdit[]): Promise<void> {
    for (const edit of edits) this.kept.set(edit.id, structuredClone(edit));
  }
  async remove(ids: string[]): Promise<void> {
    for (const id of ids) this.kept.delete(id);
  }
}
