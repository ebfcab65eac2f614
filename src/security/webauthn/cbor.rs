//! A strict reader for the part of CBOR (RFC 8949) that authenticators write.
//!
//! CTAP2 requires a canonical encoding (CTAP 2.1 §8), so the reader refuses everything that has two spellings: indefinite
//! lengths, numbers that are longer than necessary, and duplicate keys. It also refuses tags, floating-point numbers, and
//! nesting beyond four levels. The order of keys is not checked: some clients write attestation objects with unsorted
//! keys, and nothing depends on the order.
//!
//! The reader never allocates more than a small multiple of the input's length, and the recursion is bounded.

use std::fmt;

/// Maximum nesting of arrays and maps, as in CTAP 2.1 §8.
const MAX_DEPTH: usize = 4;

/// Maximum number of items of an array, and of entries of a map.
const MAX_ITEMS: u64 = 64;

/// Maximum length of the input in bytes. It bounds an attestation object with a long list of certificates.
pub const MAX_LENGTH: usize = 16 * 1024;

/// A data item. Strings borrow from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Major types 0 and 1.
    Integer(i64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4.
    Array(Vec<Value<'a>>),
    /// Major type 5, in the order of the input.
    Map(Map<'a>),
    /// The simple values 20 and 21.
    Bool(bool),
    /// The simple value 22.
    Null,
}

/// The entries of a map. All keys are different integers or texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map<'a>(Vec<(Value<'a>, Value<'a>)>);

/// The reason why an input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CborError {
    /// The input ends within a data item.
    Truncated,
    /// Bytes follow the data item.
    TrailingBytes,
    /// The input has more than [`MAX_LENGTH`] bytes, or an array or map has more than 64 items.
    TooLarge,
    /// Arrays and maps are nested more than four levels deep.
    TooDeep,
    /// A string, array or map has no definite length.
    IndefiniteLength,
    /// A number or length is encoded in more bytes than necessary, or a head is reserved.
    NotMinimal,
    /// A map has two entries with the same key.
    DuplicateKey,
    /// The key of a map is neither an integer nor a text.
    UnsupportedKey,
    /// A text is not valid UTF-8.
    InvalidText,
    /// A tag, a floating-point number, an unassigned simple value, or an integer beyond 64 bits with sign.
    Unsupported,
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the input ends too early",
            Self::TrailingBytes => "bytes follow the data item",
            Self::TooLarge => "the input is too large",
            Self::TooDeep => "the nesting is too deep",
            Self::IndefiniteLength => "a length is indefinite",
            Self::NotMinimal => "a number is longer than necessary",
            Self::DuplicateKey => "a key appears twice",
            Self::UnsupportedKey => "a key is neither an integer nor a text",
            Self::InvalidText => "a text is not valid UTF-8",
            Self::Unsupported => "a data type is not supported",
        })
    }
}

impl std::error::Error for CborError {}

/// Reads one data item, which must be the whole input.
///
/// # Errors
/// The first violation in the input.
pub fn read(input: &[u8]) -> Result<Value<'_>, CborError> {
    match read_first(input)? {
        (value, []) => Ok(value),
        _ => Err(CborError::TrailingBytes),
    }
}

/// Reads the data item at the beginning of the input, and returns the bytes after it.
///
/// # Errors
/// The first violation in the data item. TooLarge if the whole input is too long.
pub fn read_first(input: &[u8]) -> Result<(Value<'_>, &[u8]), CborError> {
    if input.len() > MAX_LENGTH {
        return Err(CborError::TooLarge);
    }
    let mut reader = Reader { rest: input };
    let value = reader.item(MAX_DEPTH)?;
    Ok((value, reader.rest))
}

impl<'a> Map<'a> {
    /// The keys and values.
    #[must_use]
    pub fn entries(&self) -> &[(Value<'a>, Value<'a>)] {
        &self.0
    }

    /// The value of an integer key.
    #[must_use]
    pub fn integer_key(&self, key: i64) -> Option<&Value<'a>> {
        self.get(&Value::Integer(key))
    }

    /// The value of a text key.
    #[must_use]
    pub fn text_key(&self, key: &str) -> Option<&Value<'a>> {
        self.get(&Value::Text(key))
    }

    fn get(&self, key: &Value<'_>) -> Option<&Value<'a>> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }
}

impl<'a> Value<'a> {
    /// The integer, if it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The byte string, if it is one.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'a>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a data item that may contain `depth` levels of arrays and maps.
    fn item(&mut self, depth: usize) -> Result<Value<'a>, CborError> {
        let (major_type, argument) = self.head()?;
        match major_type {
            0 => integer(argument).map(Value::Integer),
            // The value is −1 − n (RFC 8949 §3.1), which is the complement of n.
            1 => integer(argument).map(|number| Value::Integer(!number)),
            2 => self.take(argument).map(Value::Bytes),
            3 => {
                let bytes = self.take(argument)?;
                std::str::from_utf8(bytes).map(Value::Text).map_err(|_| CborError::InvalidText)
            }
            4 => {
                let depth = deeper(depth, argument)?;
                (0..argument).map(|_| self.item(depth)).collect::<Result<_, _>>().map(Value::Array)
            }
            5 => self.map(argument, deeper(depth, argument)?).map(Value::Map),
            7 => match argument {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => Err(CborError::Unsupported),
            },
            _ => Err(CborError::Unsupported),
        }
    }

    fn map(&mut self, entries: u64, depth: usize) -> Result<Map<'a>, CborError> {
        let mut map = Map::default();
        for _ in 0..entries {
            let key = self.item(depth)?;
            if !matches!(key, Value::Integer(_) | Value::Text(_)) {
                return Err(CborError::UnsupportedKey);
            }
            if map.get(&key).is_some() {
                return Err(CborError::DuplicateKey);
            }
            let value = self.item(depth)?;
            map.0.push((key, value));
        }
        Ok(map)
    }

    /// Reads the head of a data item (RFC 8949 §3): the major type and its argument.
    fn head(&mut self) -> Result<(u8, u64), CborError> {
        let (first, rest) = self.rest.split_first().ok_or(CborError::Truncated)?;
        self.rest = rest;
        let (major_type, short) = (first >> 5, first & 0b1_1111);
        let length = match short {
            0..=23 => return Ok((major_type, u64::from(short))),
            // Half, single and double precision, and simple values in two bytes.
            24..=27 if major_type == 7 => return Err(CborError::Unsupported),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 => return Err(CborError::IndefiniteLength),
            _ => return Err(CborError::NotMinimal),
        };
        let bytes = self.take(length)?;
        let argument = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        // The smallest argument that needs this many bytes.
        let min = if length == 1 { 24 } else { 1 << (length * 4) };
        if argument < min { Err(CborError::NotMinimal) } else { Ok((major_type, argument)) }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let length = usize::try_from(length).map_err(|_| CborError::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(CborError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

fn integer(argument: u64) -> Result<i64, CborError> {
    i64::try_from(argument).map_err(|_| CborError::Unsupported)
}

/// The levels that remain within an array or map with this many items.
fn deeper(depth: usize, items: u64) -> Result<usize, CborError> {
    if items > MAX_ITEMS {
        return Err(CborError::TooLarge);
    }
    depth.checked_sub(1).ok_or(CborError::TooDeep)
}
