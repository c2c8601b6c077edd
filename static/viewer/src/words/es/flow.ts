/** Reading in the open, the unaided read, training, in Spanish. */
import type { Catalogue } from "../index";

export const flow: Catalogue = {
  "Set aside": "Apartada",
  "This read was set aside by the lead. What you drew is kept, and can't be changed now.":
    "El responsable apartó esta lectura. Lo que dibujó se conserva y ahora no se puede cambiar.",
  "Readers of this case": "Lectores de este caso",
  "Read in the open": "Lectura abierta",
  You: "Usted",
  "Own read locked at edit {n}; what follows counts as aided":
    "Lectura propia bloqueada en el cambio {n}; lo que sigue cuenta como asistido",
  "Your read as it is now is kept for good. You may still correct it afterwards.":
    "Su lectura se conserva tal como está ahora. Después aún puede corregirla.",
  "Lock my read and show them": "Bloquear mi lectura y mostrarlas",
  "Show AI proposals": "Mostrar propuestas de IA",
  "Your own read is locked first.": "Antes se bloquea su propia lectura.",
  "A training case: once you have submitted, you see how you compare with the reference.":
    "Un caso de entrenamiento: tras enviarlo verá cómo se compara con la referencia.",
  "Compared with the reference": "Comparada con la referencia",
  "Show the reference": "Mostrar la referencia",
  "Hide the reference": "Ocultar la referencia",
  "The numbers are being computed.": "Se están calculando los números.",
  "The dashed outline is the reference.": "El contorno discontinuo es la referencia.",
  "Reference: {name}": "Referencia: {name}",
  Dice: "Dice",
  "How much of both overlaps: 1 is the same, 0 nothing": "Cuánto coinciden: 1 es lo mismo, 0 nada",
  "How far the edges are apart, but for the worst 5 %": "A qué distancia están los bordes, salvo el peor 5 %",
  "HD95, mm": "HD95, mm",
  "You, mL": "Usted, ml",
  "Reference, mL": "Referencia, ml",
  "both found nothing": "ambos no hallaron nada",
  "{n} lesions without a partner": {
    one: "{n} lesión sin pareja",
    other: "{n} lesiones sin pareja",
  },
};
