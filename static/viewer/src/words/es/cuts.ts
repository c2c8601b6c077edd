/** Why a series can't be cut in other planes, in Spanish. */
import type { Catalogue } from "../index";

export const cuts: Catalogue = {
  "There is no series here.": "Aquí no hay ninguna serie.",
  "No other planes here: {why}": "Aquí no hay otros planos: {why}",
  "These images don't say where they lie in the patient.":
    "Estas imágenes no dicen dónde están en el paciente.",
  "Too few slices to cut through.": "Hay muy pocos cortes para reconstruir otros planos.",
  "Colour images have no single value to cut through.":
    "Las imágenes en color no tienen un valor único que reconstruir.",
  "Some images don't say where they lie.": "Algunas imágenes no dicen dónde están.",
  "The images differ in rows and columns.": "Las imágenes difieren en filas y columnas.",
  "The images differ in pixel spacing.": "Las imágenes difieren en el tamaño de los píxeles.",
  "Some images lie in another plane than the rest.": "Algunas imágenes están en otro plano que las demás.",
  "Some places have several images.": "En algunos lugares hay varias imágenes.",
  "Slices are missing.": "Faltan cortes.",
};
