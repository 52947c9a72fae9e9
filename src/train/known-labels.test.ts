import { describe, expect, it } from "vitest";
import { knownLabels } from "./known-labels.ts";

const labels = Int32Array.of(0, 1, 1);

describe("knownLabels", () => {
  it("goes by name where both sides have names", () => {
    const images = { name: "photos", labels, classes: ["cat", "dog"] };
    expect([...(knownLabels(images, { count: 3, names: ["bird", "dog", "cat"] }) ?? [])]).toEqual([2, 1, 1]);
    expect(() => knownLabels(images, { count: 2, names: ["dog", "bird"] })).toThrow(
      "photos: expected images of the classes dog, bird, got one of cat",
    );
  });

  it("goes by number where one side has none", () => {
    const numbers = { name: "digits", labels, classes: ["0", "1"] };
    expect(knownLabels(numbers, { count: 2, names: ["cat", "dog"] })).toEqual(labels);
    expect(knownLabels({ name: "digits", labels }, { count: 2 })).toEqual(labels);
    expect(() => knownLabels(numbers, { count: 1 })).toThrow("expected images of the classes 0…0, got one of 1");
  });

  it("has none where the images have none", () => {
    expect(knownLabels({ name: "photos" }, { count: 2 })).toBeUndefined();
  });
});
