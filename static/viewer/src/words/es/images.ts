/** What is said of images: why something is off, how they are shown, in Spanish. */
import type { Catalogue } from "../index";

export const images: Catalogue = {
  "Case {number} · Atlas": "Caso {number} · Atlas",
  "The server cannot be reached.": "No se puede llegar al servidor.",
  "You are signed out, or may no longer do this. Sign in again.":
    "Su sesión se cerró, o ya no puede hacer esto. Inicie sesión de nuevo.",
  "This is not here, or no longer open to you.": "Esto no está aquí, o ya no está abierto para usted.",
  "The server answered with an error ({status}).": "El servidor respondió con un error ({status}).",
  "There is no series here.": "Aquí no hay ninguna serie.",
  "No other planes here: {why}": "Aquí no hay otros planos: {why}",
  "This image is not part of the read.": "Esta imagen no es parte de la lectura.",
  "This cut is no longer shown.": "Este plano ya no se muestra.",
  "Colour images have no single value.": "Las imágenes en color no tienen un único valor.",
  "It doesn't lie on one image.": "No está en una sola imagen.",
  "Pixels of {bits} bits cannot be shown.": "Los píxeles de {bits} bits no se pueden mostrar.",
  "It holds fewer pixels than it says.": "Contiene menos píxeles de los que dice.",
  "It arrived shorter than announced.": "Llegó más corta de lo anunciado.",
  "The server does not have it, or it is no longer open to you.":
    "El servidor no la tiene, o ya no está abierta para usted.",
  "One of them doesn't say where it lies in the patient.": "Una de ellas no dice dónde está en el paciente.",
  "They were not taken in one session: nothing says how their positions go together.":
    "No se tomaron en una misma sesión: nada dice cómo se corresponden sus posiciones.",
  "Colour images can't be laid over.": "Las imágenes en color no se pueden superponer.",
  "This browser can't draw in space.": "Este navegador no puede dibujar en el espacio.",
  "These images don't say where they lie in the patient.":
    "Estas imágenes no dicen dónde están en el paciente.",
  "Too few slices to cut through.": "Demasiado pocos cortes para reconstruir planos.",
  "Colour images have no single value to cut through.":
    "Las imágenes en color no tienen un único valor que reconstruir.",
  "Some images don't say where they lie.": "Algunas imágenes no dicen dónde están.",
  "The images differ in rows and columns.": "Las imágenes difieren en filas y columnas.",
  "The images differ in pixel spacing.": "Las imágenes difieren en el espaciado de píxeles.",
  "Some images lie in another plane than the rest.": "Algunas imágenes están en otro plano que el resto.",
  "Some places have several images.": "Algunos lugares tienen varias imágenes.",
  "Slices are missing.": "Faltan cortes.",
  "There is no series in this case that could lie over it.":
    "En este caso no hay ninguna serie que pueda ir encima.",
  "{value}, interpolated": "{value}, interpolado",
  "a colour image has no single value to paint by.":
    "una imagen en color no tiene un único valor con que pintar.",
  "these images have no position in the patient.": "estas imágenes no tienen posición en el paciente.",
  "In pixels: {why}": "En píxeles: {why}",
  "the image is not calibrated.": "la imagen no está calibrada.",
  "An estimate: by what is known of the magnification.":
    "Una estimación: según lo que se sabe de la ampliación.",
  "No volume in mL: {why}": "Sin volumen en mL: {why}",
  "By stored values: {why}": "Por valores almacenados: {why}",
  Soft: "Blando",
  "Soft tissue": "Tejido blando",
  Lung: "Pulmón",
  Liver: "Hígado",
  Bone: "Hueso",
  Brain: "Cerebro",
  Medi: "Medi",
  Mediastinum: "Mediastino",
  Stroke: "Ictus",
  "SUV 0 to {top}": "SUV 0 a {top}",
  "You submitted this read. It is with the reviewer and can't be changed.":
    "Ha entregado esta lectura. Está con el revisor y no se puede cambiar.",
  "This read is accepted. It can't be changed any more.":
    "Esta lectura está aceptada. Ya no se puede cambiar.",
  "This read is not open for changes.": "Esta lectura no está abierta a cambios.",
  "[ and ] change it": "[ y ] lo cambian",
  inverted: "invertida",
  "copied from an import": "copiado de una importación",
  "Remove smaller": "Quitar menores",
  "Only the largest": "Solo la mayor",
  absent: "ausente",
};
