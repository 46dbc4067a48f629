/**
 * The software bill of materials of the binary, in CycloneDX: the packages that are really in it, the Bun that runs
 * them, and what these carry inside. It names no time and no number of its own, so that the same binary has the same
 * bill.
 */
import { Enums, Models, Serialize, SPDX, Spec } from "@cyclonedx/cyclonedx-library";
import janus from "../package.json" with { type: "json" };
import type { CarriedPart } from "./carried.ts";
import type { BundledPackage } from "./packages.ts";

/** The bill as JSON, CycloneDX 1.6. A part whose carrier is not there is not there either. */
export function describeMaterials(
  packages: readonly BundledPackage[],
  carried: readonly CarriedPart[],
): string {
  const program = describeProgram();
  const bun = describeBun();
  const components = new Map(packages.map((part) => [part.key, describePackage(part)]));
  for (const { key, needs } of packages) {
    for (const need of needs) connect(components.get(key), components.get(need));
  }
  for (const name of Object.keys(janus.dependencies)) connect(program, components.get(name));
  connect(program, bun);
  const parts = carried.flatMap((part) => {
    const carrier = part.carrier === "bun" ? bun : components.get(part.carrier);
    if (carrier === undefined) return [];
    const component = describePart(part);
    connect(carrier, component);
    return [component];
  });
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: program }),
    components: new Models.ComponentRepository([bun, ...components.values(), ...parts]),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function connect(from: Models.Component | undefined, to: Models.Component | undefined): void {
  if (from !== undefined && to !== undefined) from.dependencies.add(to.bomRef);
}

function describeProgram(): Models.Component {
  const { name, version, description, license } = janus;
  return new Models.Component(Enums.ComponentType.Application, name, {
    bomRef: `${name}@${version}`,
    version,
    description,
    purl: `pkg:generic/${name}@${version}`,
    licenses: new Models.LicenseRepository([describeLicence(license)]),
  });
}

function describeBun(): Models.Component {
  return new Models.Component(Enums.ComponentType.Platform, "bun", {
    bomRef: `bun@${Bun.version}`,
    version: Bun.version,
    description: "The JavaScript runtime that the binary consists of",
    purl: `pkg:github/oven-sh/bun@bun-v${Bun.version}`,
    licenses: new Models.LicenseRepository([describeLicence("MIT")]),
    properties: new Models.PropertyRepository([new Models.Property("janus:bun:revision", Bun.revision)]),
  });
}

function describePackage(part: BundledPackage): Models.Component {
  const [name, group] = part.name.split("/").reverse();
  return new Models.Component(Enums.ComponentType.Library, name ?? part.name, {
    bomRef: `${part.key}@${part.version}`,
    version: part.version,
    ...(group === undefined ? {} : { group }),
    ...(part.description === undefined ? {} : { description: part.description }),
    purl: `pkg:npm/${part.name.replace("@", "%40")}@${part.version}`,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-512"], part.sha512]]),
    licenses: new Models.LicenseRepository([describeLicence(part.licence)]),
    scope: Enums.ComponentScope.Required,
  });
}

function describePart(part: CarriedPart): Models.Component {
  const { Application, Library } = Enums.ComponentType;
  return new Models.Component(part.kind === "application" ? Application : Library, part.name, {
    bomRef: `${part.carrier}/${part.name}@${part.version}`,
    version: part.version,
    description: part.description,
    purl: part.purl,
    ...(part.cpe === undefined ? {} : { cpe: part.cpe }),
    licenses: new Models.LicenseRepository([describeLicence(part.licence)]),
    scope: Enums.ComponentScope.Required,
  });
}

function describeLicence(licence: string): Models.License {
  const id = SPDX.fixupSpdxId(licence);
  if (id !== undefined) return new Models.SpdxLicense(id);
  const isExpression = /\s(AND|OR|WITH)\s/.test(licence);
  return isExpression ? new Models.LicenseExpression(licence) : new Models.NamedLicense(licence);
}
