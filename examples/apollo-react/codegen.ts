import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  // In a copy of this folder, the address of your server: "http://localhost:8000/schema.graphql".
  schema: "../../schema.graphql",
  documents: "src/**/*.tsx",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: { scalars: { DateTime: "string" }, enumsAsTypes: true, useTypeImports: true },
    },
  },
};

export default config;
