/** Adjudication, in Spanish. */
import type { Catalogue } from "../index";

export const adjudication: Catalogue = {
  "No lesion is chosen.": "No hay ninguna lesión elegida.",
  "This adjudication is not open for changes.": "Este arbitraje no admite cambios.",
  "The last decision is being saved.": "Se está guardando la última decisión.",
  "Choose what is taken.": "Elija qué se toma.",
  "Nothing is drawn for this lesion yet.": "Todavía no hay nada dibujado para esta lesión.",
  "Choose an answer where readers differ.": "Elija una respuesta donde los lectores difieren.",
  "Say why: the readers disagree.": "Diga por qué: los lectores no coinciden.",
};
