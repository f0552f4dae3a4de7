// GraphQL: graphql-request takes a fetch of yours. The API is another origin than the auth server, so it is named.
import { GraphQLClient, gql } from "graphql-request";
import { createAuthFetch } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const endpoint = process.env["GRAPHQL_URL"] ?? "https://api.example.org/graphql";

export const api = new GraphQLClient(endpoint, { fetch: createAuthFetch(host, { origins: [endpoint] }) });

const { me } = await api.request<{ me: { username: string } }>(gql`
  query {
    me {
      username
    }
  }
`);
console.log(`graphql-request: ${me.username}`);
