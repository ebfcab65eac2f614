//! The values of a row, which are JSON, or text in CSV.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::domain::users::import::{Column, Record, RecordError};

/// The values of a row by name.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn new(row: Map<String, Value>) -> Self {
        Self(row)
    }

    /// A text or number that is not blank.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// Whether there is a value other than an empty one, false and zero.
    pub(super) fn is_set(&self, name: &str) -> bool {
        match self.0.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => {
                !matches!(text.to_ascii_lowercase().as_str(), "" | "false" | "f" | "0" | "null" | "{}" | "[]")
            }
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(object)) => !object.is_empty(),
        }
    }

    /// The values of an object, which may be JSON in a text.
    pub(super) fn object(&self, name: &str) -> Self {
        match self.json(name) {
            Some(Value::Object(object)) => Self(object),
            _ => Self(Map::new()),
        }
    }

    /// The objects of an array, which may be JSON in a text.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let Some(Value::Array(list)) = self.json(name) else { return Vec::new() };
        let objects = list.into_iter().filter_map(|value| match value {
            Value::Object(object) => Some(Self(object)),
            _ => None,
        });
        objects.collect()
    }

    /// The texts of an array, which may be JSON in a text, or separated by commas.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        if let Some(Value::Array(list)) = self.json(name) {
            return list.into_iter().filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect();
        }
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
    }

    fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        }
    }

    /// Copies values to columns.
    pub(super) fn copy<const COUNT: usize>(&self, record: &mut Record, columns: [(&str, Column); COUNT]) {
        for (name, column) in columns {
            if let Some(text) = self.text(name) {
                record.set(column, text);
            }
        }
    }

    /// Copies a time in units since 1970, such as milliseconds, to a column.
    ///
    /// # Errors
    /// If the value is no number.
    pub(super) fn copy_time(
        &self,
        record: &mut Record,
        (name, column): (&'static str, Column),
        units_per_second: i64,
    ) -> Result<(), RecordError> {
        let Some(text) = self.text(name).filter(|text| text != "0") else { return Ok(()) };
        let time = text
            .parse::<i64>()
            .ok()
            .and_then(|time| DateTime::<Utc>::from_timestamp_millis(time.checked_mul(1000 / units_per_second)?));
        let time = time.ok_or(RecordError::new(name, "Expected the seconds or milliseconds since 1970."))?;
        record.set(column, time.to_rfc3339_opts(SecondsFormat::Millis, true));
        Ok(())
    }
}
