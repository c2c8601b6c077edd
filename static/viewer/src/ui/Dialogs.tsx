/** Everything that may lie over the room. */
import { KeySheet } from "./KeySheet";
import { Palette } from "./Palette";

export const Dialogs = () => (
  <>
    <Palette />
    <KeySheet />
  </>
);
