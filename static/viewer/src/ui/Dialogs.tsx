/** Everything that may lie over the room. */
import { useEffect } from "react";
import { KeySheet } from "./KeySheet";
import { Palette } from "./Palette";
import { Preferences } from "./Preferences";
import { Incidental } from "./review/Incidental";
import { offerTour, Tour } from "./Tour";

export function Dialogs() {
  useEffect(offerTour, []);
  return (
    <>
      <Palette />
      <KeySheet />
      <Preferences />
      <Tour />
      <Incidental />
    </>
  );
}
