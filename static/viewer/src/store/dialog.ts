/** Which dialog lies over the room: one at a time. Plain data. */
import { createStore } from "zustand/vanilla";

export type DialogName = "keys" | "palette" | "preferences" | "tour" | "incidental";

export const dialog = createStore<{ open: DialogName | null }>(() => ({ open: null }));

export const openDialog = (open: DialogName): void => dialog.setState({ open });
export const closeDialog = (): void => dialog.setState({ open: null });
