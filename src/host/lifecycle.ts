/** Ownership of things that must be released. Free of `vscode`, whose own disposables fit it. */

export interface IDisposable {
  dispose(): unknown;
}

/** Base of every service and view: what it registers is released with it; late arrivals are released at once. */
export abstract class Disposable implements IDisposable {
  private readonly owned: IDisposable[] = [];
  private disposed = false;

  protected get isDisposed(): boolean {
    return this.disposed;
  }

  protected _register<T extends IDisposable>(item: T): T {
    if (this.disposed) item.dispose();
    else this.owned.push(item);
    return item;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    while (this.owned.length > 0) this.owned.pop()?.dispose();
  }
}

/** A disposable from a function. */
export function toDisposable(release: () => void): IDisposable {
  return { dispose: release };
}
