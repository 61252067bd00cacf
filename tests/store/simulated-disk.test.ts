import { catalogConforms } from "../support/catalog-conforms";
import { packStoreConforms } from "../support/pack-store-conforms";
import { SimulatedDisk } from "../support/simulated-disk";

// The simulator stands in for a real store in the crash tests, so it has to behave as one.
packStoreConforms("the simulated disk", () => Promise.resolve(new SimulatedDisk()));
catalogConforms("the simulated disk", () => Promise.resolve(new SimulatedDisk().catalog));
