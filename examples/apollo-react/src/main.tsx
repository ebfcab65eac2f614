import { ApolloProvider } from "@apollo/client/react";
import { HallpassProvider } from "@hallpass/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { apollo, hallpass } from "./hallpass";
import "./style.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <HallpassProvider client={hallpass}>
      <ApolloProvider client={apollo}>
        <App />
      </ApolloProvider>
    </HallpassProvider>
  </StrictMode>,
);
