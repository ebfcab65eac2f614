//! Tables and rows in a form that does not depend on the database.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, QueryResult, Value,
    sea_query::ColumnType,
};
use uuid::Uuid;

/// A table: its name, its columns, and which of these are its primary key.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: String,
    /// The columns, in the order of the values of a row.
    pub columns: Vec<Column>,
    /// The positions of the columns of the primary key.
    pub(super) key: Vec<usize>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// The name.
    pub name: String,
    /// What it contains.
    pub kind: Kind,
}

/// What a column contains. Each may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID.
    Id,
    /// Text.
    Text,
    /// An integer of 32 bits.
    Integer,
    /// An integer of 64 bits.
    BigInteger,
    /// True or false.
    Boolean,
    /// Bytes.
    Bytes,
    /// A time in UTC, in microseconds.
    Instant,
}

/// The values of a row, in the order of the columns.
pub(super) type Row = Vec<Value>;

impl Table {
    /// The table of an entity.
    ///
    /// # Errors
    /// Returns an error if a column has a type that cannot be copied.
    pub fn of<E: EntityTrait>() -> Result<Self, DbErr> {
        let name = E::default().table_name().to_owned();
        let columns = E::Column::iter().map(|column| {
            let definition = column.def();
            let kind = Kind::of(definition.get_column_type()).ok_or_else(|| {
                DbErr::Type(format!("the column {name}.{} has a type that cannot be copied", column.as_str()))
            })?;
            Ok(Column { name: column.as_str().to_owned(), kind })
        });
        let columns = columns.collect::<Result<Vec<_>, DbErr>>()?;
        let key = E::PrimaryKey::iter().filter_map(|key| {
            let key = key.into_column();
            columns.iter().position(|column| column.name == key.as_str())
        });
        Ok(Self { key: key.collect(), name, columns })
    }

    /// Reads a row whose columns were selected in their order.
    pub(super) fn read(&self, row: &QueryResult) -> Result<Row, DbErr> {
        self.columns.iter().enumerate().map(|(index, column)| column.kind.read(row, index)).collect()
    }

    /// The names of the columns of the primary key.
    pub fn key(&self) -> impl Iterator<Item = &str> {
        self.key_columns().map(|column| column.name.as_str())
    }

    /// The columns of the primary key.
    pub(super) fn key_columns(&self) -> impl DoubleEndedIterator<Item = &Column> {
        self.key.iter().filter_map(|index| self.columns.get(*index))
    }

    /// The primary key of a row.
    pub(super) fn key_of(&self, row: &Row) -> Row {
        self.key.iter().filter_map(|index| row.get(*index)).cloned().collect()
    }

    /// The name of a text column whose value contains the character NUL, which PostgreSQL cannot store.
    pub(super) fn column_with_nul(&self, row: &Row) -> Option<&str> {
        let has_nul = |value: &Value| matches!(value, Value::String(Some(text)) if text.contains('\0'));
        row.iter().zip(&self.columns).find(|(value, _)| has_nul(value)).map(|(_, column)| column.name.as_str())
    }
}

impl Kind {
    fn of(column_type: &ColumnType) -> Option<Self> {
        Some(match column_type {
            ColumnType::Uuid => Self::Id,
            ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::Integer => Self::Integer,
            ColumnType::BigInteger => Self::BigInteger,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Self::Bytes,
            ColumnType::TimestampWithTimeZone => Self::Instant,
            _ => return None,
        })
    }

    fn read(self, row: &QueryResult, index: usize) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Id => row.try_get_by_index::<Option<Uuid>>(index)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(index)?.into(),
            Self::Integer => row.try_get_by_index::<Option<i32>>(index)?.into(),
            Self::BigInteger => row.try_get_by_index::<Option<i64>>(index)?.into(),
            Self::Boolean => row.try_get_by_index::<Option<bool>>(index)?.into(),
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(index)?.into(),
            // MySQL would round what is more precise, and PostgreSQL would refuse it.
            Self::Instant => row.try_get_by_index::<Option<DateTime<Utc>>>(index)?.map(|at| at.trunc_subsecs(6)).into(),
        })
    }

    /// Writes a value of a primary key as text.
    pub(super) fn to_text(value: &Value) -> Result<String, DbErr> {
        match value {
            Value::Uuid(Some(id)) => Ok(id.to_string()),
            Value::String(Some(text)) => Ok(text.clone()),
            Value::Bytes(Some(bytes)) => Ok(hex::encode(bytes)),
            _ => Err(DbErr::Type("a primary key has a type that cannot be copied".to_owned())),
        }
    }

    /// Reads what [`Kind::to_text`] has written.
    pub(super) fn parse(self, text: &str) -> Result<Value, DbErr> {
        let malformed = || DbErr::Type("the progress of the copy cannot be read".to_owned());
        match self {
            Self::Id => Ok(Uuid::parse_str(text).map_err(|_| malformed())?.into()),
            Self::Text => Ok(text.into()),
            Self::Bytes => Ok(hex::decode(text).map_err(|_| malformed())?.into()),
            _ => Err(malformed()),
        }
    }
}

/// Appends a row in its canonical form: for each value its kind, and unless it is null, its bytes with their length.
pub(super) fn encode(row: &Row, out: &mut Vec<u8>) {
    let mut put = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend((bytes.len() as u64).to_be_bytes());
        out.extend(bytes);
    };
    for value in row {
        match value {
            Value::Uuid(Some(id)) => put(1, id.as_bytes()),
            Value::String(Some(text)) => put(2, text.as_bytes()),
            Value::Int(Some(number)) => put(3, &number.to_be_bytes()),
            Value::BigInt(Some(number)) => put(4, &number.to_be_bytes()),
            Value::Bool(Some(value)) => put(5, &[u8::from(*value)]),
            Value::Bytes(Some(bytes)) => put(6, bytes),
            Value::ChronoDateTimeUtc(Some(at)) => put(7, &at.timestamp_micros().to_be_bytes()),
            _ => put(0, &[]),
        }
    }
}
