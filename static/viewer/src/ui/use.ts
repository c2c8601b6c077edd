import { useStore } from "zustand";
import { type Room, room } from "../store/room";

export const useRoom = <T>(pick: (state: Room) => T): T => useStore(room, pick);
