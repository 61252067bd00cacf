import { MemoryPacks } from "../../src/store/memory";
import { packStoreConforms } from "../support/pack-store-conforms";

packStoreConforms("memory", () => Promise.resolve(new MemoryPacks()));
