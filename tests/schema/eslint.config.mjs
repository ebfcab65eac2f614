// The schema rules of graphql-eslint, with a reason where they differ from its recommendation.

import graphql from "@graphql-eslint/eslint-plugin";

// No field returns the types of errors (see the description of `ErrorExtensions`). This field, which only the lint sees, makes them
// reachable, so that every other unreachable type is reported.
const ERRORS = "extend type Query { errorExtensions: ErrorExtensions }";

export default [
  {
    files: ["schema.graphql"],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: ["schema.graphql", ERRORS] } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,

      // Stricter: each mutation takes `input: <Mutation>Input`, and returns an object, to which fields can be added.
      "@graphql-eslint/input-name": "error",
      "@graphql-eslint/no-scalar-result-type-on-mutation": "error",

      // Off: it has no exceptions, and `User.username` is the usual name.
      "@graphql-eslint/no-typename-prefix": "off",

      // An id is the key of an object in a cache. These types are parts of a response and have no identity of their own.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            suffixes: ["Payload", "Policy", "Connection", "Edge"],
            types: ["ServerInfo", "ErrorExtensions", "InputError", "MfaChallenge", "PageInfo", "AccountData", "AccountEvent", "AuditDetail", "AcceptedCredentials"],
          },
        },
      ],
    },
  },
];
