//! Who may use which root field. The table is generated from the schema, so that a new field cannot be forgotten: unless it
//! is named here, it must be for administrators only.

use serde_json::{Map, Value};

use crate::support::{Actor, TestServer, json};

/// The root fields that are not for administrators only.
const OTHERS: &[&str] = &[
    "me",
    "serverInfo",
    "register",
    "login",
    "refreshToken",
    "logout",
    "revokeSession",
    "revokeOtherSessions",
    "updateProfile",
    "changePassword",
    "setPassword",
    "registerWithPasskey",
    "deleteAccount",
    "changeEmail",
    "cancelEmailChange",
    "verifyEmail",
    "replaceUnverifiedEmail",
    "sendVerificationEmail",
    "requestPasswordReset",
    "resetPassword",
    "requestEmailSignIn",
    "loginWithEmail",
    "acceptInvitation",
    "node",
    "accountData",
    "accountEvents",
    "reauthenticate",
    "verifyMfa",
    "startTotpEnrollment",
    "confirmTotpEnrollment",
    "disableTotp",
    "regenerateRecoveryCodes",
    "revokeRememberedDevice",
    "startPasskeyRegistration",
    "finishPasskeyRegistration",
    "startPasskeyLogin",
    "startPasskeyVerification",
    "finishPasskeyLogin",
    "renamePasskey",
    "deletePasskey",
    "loginWithCode",
    "startIdentityLink",
    "finishIdentityLink",
    "unlinkIdentity",
];

/// Accepts a stream, and errors as JSON.
pub const ANY_RESPONSE: &str = "multipart/mixed;subscriptionSpec=1.0, application/json";

const TYPES: &str = "{ __schema { queryType { fields { ...Root } } mutationType { fields { ...Root } } \
    subscriptionType { fields { ...Root } } types { \
    name kind isOneOf enumValues { name } inputFields { name defaultValue type { ...Type } } fields { name args { type { kind } } type { ...Type } } } } } \
    fragment Root on __Field { name description args { name type { ...Type } } type { ...Type } } \
    fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The schema, as the introspection describes it.
pub struct Schema(pub Value);

impl Schema {
    pub async fn of(server: &TestServer) -> Self {
        Self(server.anonymous().query(TYPES).await.data("/__schema"))
    }

    pub fn named(&self, name: &str) -> &Value {
        self.0["types"].as_array().unwrap().iter().find(|of_type| of_type["name"] == name).unwrap()
    }

    /// A valid value of an input type.
    fn value(&self, input_type: &Value) -> Value {
        match input_type["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&input_type["ofType"]),
            "LIST" => json!([]),
            "ENUM" => self.named(input_type["name"].as_str().unwrap())["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => {
                let of_type = self.named(input_type["name"].as_str().unwrap());
                let fields = of_type["inputFields"].as_array().unwrap();
                let is_one_of = of_type["isOneOf"] == true;
                let is_needed = |field: &&Value| field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null();
                let needed = fields.iter().filter(is_needed).chain(fields.iter().take(usize::from(is_one_of)));
                let values = needed.map(|field| {
                    let value = self.value(&field["type"]);
                    (field["name"].as_str().unwrap().to_owned(), value)
                });
                Value::Object(values.collect::<Map<_, _>>())
            }
            _ => match input_type["name"].as_str().unwrap() {
                "Int" => json!(1),
                "Boolean" => json!(false),
                "ID" => json!("00000000-0000-7000-8000-000000000000"),
                _ => json!("x"),
            },
        }
    }

    /// A selection of a field without arguments that is not an object, or of `__typename`.
    pub fn selection(root: &Value) -> &'static str {
        let mut of_type = &root["type"];
        while !of_type["ofType"].is_null() {
            of_type = &of_type["ofType"];
        }
        if ["OBJECT", "INTERFACE", "UNION"].contains(&of_type["kind"].as_str().unwrap()) {
            "{ __typename }"
        } else {
            ""
        }
    }

    /// A document for a root field, and its variables.
    pub fn call(&self, operation: &str, root: &Value) -> (String, Value) {
        let mut variables = Map::new();
        let mut declared = Vec::new();
        let mut passed = Vec::new();
        for argument in root["args"].as_array().unwrap() {
            if argument["type"]["kind"] == "NON_NULL" {
                let name = argument["name"].as_str().unwrap();
                let of_type = argument["type"]["ofType"]["name"].as_str().unwrap();
                declared.push(format!("${name}: {of_type}!"));
                passed.push(format!("{name}: ${name}"));
                variables.insert(name.to_owned(), self.value(&argument["type"]));
            }
        }
        let list =
            |items: Vec<String>| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
        let (declared, passed) = (list(declared), list(passed));
        let name = root["name"].as_str().unwrap();
        let document = format!("{operation}{declared} {{ {name}{passed} {} }}", Self::selection(root));
        (document, Value::Object(variables))
    }

    /// The root fields for administrators, with their operation type.
    pub fn for_administrators(&self) -> Vec<(&'static str, &Value)> {
        let mut all = self.root_fields();
        all.retain(|(_, field)| !OTHERS.contains(&field["name"].as_str().unwrap()));
        all
    }

    /// All root fields, with their operation type.
    pub fn root_fields(&self) -> Vec<(&'static str, &Value)> {
        let fields = |operation, pointer: &str| {
            let fields = self.0.pointer(pointer).unwrap().as_array().unwrap();
            fields.iter().map(move |field| (operation, field)).collect::<Vec<_>>()
        };
        let mut all = fields("query", "/queryType/fields");
        all.extend(fields("mutation", "/mutationType/fields"));
        all.extend(fields("subscription", "/subscriptionType/fields"));
        all
    }

    /// Calls each field for administrators, and expects the code.
    async fn expect(&self, actor: &Actor, code: &str) {
        let actor = actor.with_header("accept", ANY_RESPONSE);
        for (operation, root) in self.for_administrators() {
            let (document, variables) = self.call(operation, root);
            let answer = actor.graphql(&document, variables).await;
            assert_eq!(answer.code(), code, "{document}");
        }
    }
}

#[tokio::test]
async fn stranger_must_sign_in() {
    let server = TestServer::start().await;
    Schema::of(&server).await.expect(&server.anonymous(), "UNAUTHENTICATED").await;
}

#[tokio::test]
async fn user_is_refused() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    Schema::of(&server).await.expect(&ada, "FORBIDDEN").await;
}

#[tokio::test]
async fn former_administrator_is_refused() {
    let server = TestServer::start().await;
    server.administrator("other").await;
    let boss = server.administrator("boss").await;
    boss.query("{ users { totalCount } }").await.data("/users");
    server.set_roles("boss", &["user"]).await;
    Schema::of(&server).await.expect(&boss, "FORBIDDEN").await;
}

#[tokio::test]
async fn nobody_is_an_administrator_if_the_role_does_not_exist() {
    let before = TestServer::start().await;
    let boss = before.administrator("boss").await;
    let server = TestServer::on(std::sync::Arc::clone(&before.database), |settings| {
        settings.registration.roles = vec!["user".to_owned()];
    })
    .await;
    let boss = server.anonymous().with_bearer(boss.bearer.as_deref().unwrap());
    Schema::of(&server).await.expect(&boss, "FORBIDDEN").await;
}

#[tokio::test]
async fn descriptions_say_who_may_use_a_field() {
    let server = TestServer::start().await;
    let schema = Schema::of(&server).await;
    let fields = schema.for_administrators();
    assert!(fields.len() >= 10, "{}", fields.len());
    for (_, field) in fields {
        let description = field["description"].as_str().unwrap();
        assert!(description.contains("Requires the role `admin`."), "{}", field["name"]);
        assert!(description.contains("FORBIDDEN"), "{}", field["name"]);
    }
}
