//! A request of a CloudFormation custom resource, as a file holds it.
//!
//! An Update or a Delete is about a resource that is there, and an answer goes to a URL of Amazon S3. Who sends such a
//! request on this machine sends the Create first, and waits for both answers at a [`Callback`].

use crate::callback::Callback;
use serde_json::{Map, Value, json};

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceRequest(Map<String, Value>);

impl ResourceRequest {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is not a JSON object.
    pub fn parse(payload: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(payload).map(Self)
    }

    /// The Create that came before an Update or a Delete, with the properties that the resource has had since.
    #[must_use]
    pub fn presupposed(&self) -> Option<Self> {
        let properties = match self.text("RequestType")? {
            "Update" => self.0.get("OldResourceProperties"),
            "Delete" => self.0.get("ResourceProperties"),
            _ => None,
        };
        let mut create = self.0.clone();
        create.insert("ResourceProperties".to_owned(), properties?.clone());
        create.insert("RequestType".to_owned(), json!("Create"));
        create.insert("RequestId".to_owned(), json!("presupposed"));
        create.remove("PhysicalResourceId");
        create.remove("OldResourceProperties");
        Some(Self(create))
    }

    /// The payload, to be answered at a bucket of this machine.
    #[must_use]
    pub fn answered_at(&self, bucket: &Callback) -> String {
        let mut request = self.0.clone();
        let url = bucket.url(self.text("RequestId").unwrap_or_default());
        request.insert("ResponseURL".to_owned(), json!(url));
        Value::Object(request).to_string()
    }

    /// The answer to it, if it has arrived.
    #[must_use]
    pub fn answer(&self, bucket: &Callback) -> Option<String> {
        let id = self.0.get("RequestId");
        let is_to_it =
            |body: &String| serde_json::from_str(body).is_ok_and(|body: Value| body.get("RequestId") == id);
        bucket.arrived().into_iter().map(|arrived| arrived.body).find(is_to_it)
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(members: &Value) -> ResourceRequest {
        ResourceRequest::parse(members.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_update_and_a_delete_presuppose_a_create_of_what_was_there() {
        let create = request(&json!({
            "RequestType": "Create", "RequestId": "presupposed", "StackId": "s", "ResourceProperties": {"Size": "1"},
        }));
        let update = request(&json!({
            "RequestType": "Update", "RequestId": "2", "StackId": "s", "PhysicalResourceId": "p",
            "ResourceProperties": {"Size": "2"}, "OldResourceProperties": {"Size": "1"},
        }));
        let delete = request(&json!({
            "RequestType": "Delete", "RequestId": "3", "StackId": "s", "PhysicalResourceId": "p",
            "ResourceProperties": {"Size": "1"},
        }));
        assert_eq!(update.presupposed().as_ref(), Some(&create));
        assert_eq!(delete.presupposed().as_ref(), Some(&create));
        assert_eq!(create.presupposed(), None);
    }
}
