// A place to drop files on.

/** Marks the place while something is held over it; calls take(event) with what is let go. */
export function dropPlace(place, take) {
  const leave = () => place.classList.remove("over");
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", leave);
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    leave();
    take(event.dataTransfer);
  });
}
