//! A checked query: every name is resolved, every value has its type, and nothing is left to refuse.
//!
//! It says what is asked, not how a database answers it ([`sql`](crate::sql) does).
//!
//! Invariant: every [`Place`] is bound somewhere on the path, or in a part of it that may be left out.

use std::sync::Arc;

use metsuke_model::AsOf;
use metsuke_model::graph::{EntityType, Metadata, RelationshipType, Value, ValueType};

use crate::ast::{Arithmetic, Direction};

/// A checked query.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where entities stand on a path; the first is the root.
    pub slots: Vec<Slot>,
    /// Where relationships stand on a path.
    pub edges: Vec<EdgeSlot>,
    /// What comes behind the root.
    pub chain: Vec<Link>,
    /// The condition over whole paths.
    pub filter: Option<Condition>,
    /// What is given back.
    pub output: Output,
    /// The condition over returned rows.
    pub having: Option<Condition>,
    /// No returned row twice.
    pub unique: bool,
    /// Sort keys, most important first.
    pub order: Vec<OrderKey>,
    /// How many rows are passed over.
    pub skip: u64,
    /// The most rows that are given back.
    pub limit: Option<u64>,
    /// The version or time that is asked about.
    pub as_of: Option<AsOf>,
    /// Slots of which each row also tells, unseen, which entity stands there; none in a query as it is written.
    pub beside: Vec<usize>,
    /// What is odd about the query, though it can be answered.
    pub warnings: Vec<String>,
}

/// One place for an entity.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// The types that may stand there, each once; none where the query names what nothing here is called.
    pub candidates: Vec<Candidate>,
    /// The condition on the entity's own properties.
    pub filter: Option<Condition>,
    /// Only these entities, by their dense ids; any in a query as it is written.
    pub among: Option<Arc<[i64]>>,
    /// No place of its own: the name of an optional part, which stands for the slot where the path is behind it.
    pub stands_for_another: bool,
}

/// A type that may stand in a slot.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The type.
    pub entity_type: &'static EntityType,
    /// What an entity must bear, any of these; empty: any entity of the type.
    pub marks: Vec<Mark>,
}

/// What an entity bears so that a selector means it.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// Words, all of which are in its properties.
    pub words: Vec<String>,
    /// Tags, all of which are true.
    pub tags: Vec<String>,
}

/// One place for a relationship.
#[derive(Clone, Debug)]
pub struct EdgeSlot {
    /// The types that may stand there.
    pub types: Vec<&'static RelationshipType>,
    /// Which way they point along the path.
    pub direction: Direction,
}

/// One piece of a chain.
#[derive(Clone, Debug)]
pub enum Link {
    /// A hop to another entity.
    Step {
        /// The relationship.
        edge: usize,
        /// The entity.
        target: usize,
    },
    /// What must not be: this hop, and from there all of the chain.
    Not {
        /// The relationship.
        edge: usize,
        /// The entity.
        target: usize,
        /// What comes behind it.
        chain: Vec<Link>,
    },
    /// A part that may be left out.
    Optional {
        /// The part; never empty.
        chain: Vec<Link>,
        /// What must hold for it to be taken.
        filter: Option<Condition>,
        /// The slot that stands for where the path is behind it.
        alias: Option<usize>,
    },
}

/// Something on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// An entity, by its slot.
    Entity(usize),
    /// A relationship, by its edge slot.
    Edge(usize),
}

/// A condition; it holds or it does not, there is no third case.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Always, or never.
    Constant(bool),
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// One comparison.
    Compare(Comparison),
}

/// One comparison, never a negated one.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is compared.
    pub left: Expr,
    /// How.
    pub operator: Match,
    /// With what.
    pub right: Operand,
}

/// How two things are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Match {
    /// The same.
    Equal,
    /// A larger number.
    Greater,
    /// A smaller number.
    Less,
    /// A number that is not smaller.
    GreaterOrEqual,
    /// A number that is not larger.
    LessOrEqual,
    /// A text with this in it.
    Contains,
    /// A text that begins so.
    StartsWith,
    /// A text that ends so.
    EndsWith,
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub enum Operand {
    /// Nothing at all.
    Undefined,
    /// A value.
    Value(Expr),
    /// A regular expression.
    Regex {
        /// The pattern, checked.
        pattern: String,
        /// Upper and lower case are the same.
        ignore_case: bool,
    },
    /// Any value that another query returns in its one column.
    Query(Box<Plan>),
}

/// Something that has a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A fixed value; never a list.
    Constant(Value),
    /// A property of something on the path.
    Property(Place, PropertyName),
    /// A returned column, by its place; only in the condition over returned rows.
    Column(usize, Option<ValueType>),
    /// The thing itself.
    Whole(Place),
    /// Two numbers and what is done with them.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// A number with its sign turned.
    Negative(Box<Expr>),
    /// A function of single values.
    Function(Function, Vec<Expr>),
    /// A function of all paths, or of a group of them.
    Aggregate(Aggregate, Option<Box<Expr>>),
}

/// Which property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PropertyName {
    /// One of its own, which some type in its place has.
    Own(&'static str, ValueType),
    /// One that everything bears.
    Metadata(Metadata, ValueType),
    /// A tag that the caller puts on every entity.
    Tag(String),
    /// One that nothing in its place has: always absent.
    Unknown(String),
}

/// A function of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Without its sign.
    Abs,
    /// The square root.
    Sqrt,
    /// The next whole number up.
    Ceil,
    /// The next whole number down.
    Floor,
    /// The nearest whole number, halves away from zero.
    Round,
    /// The first that is not absent.
    Coalesce,
    /// All of them as one text.
    Concat,
    /// All of them as one list.
    Merge,
}

/// A function of many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many different ones; without an argument: how many paths.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// What is given back.
#[derive(Clone, Debug)]
pub enum Output {
    /// The starting entities.
    List,
    /// All entities and relationships on the paths.
    Tree,
    /// Columns; never empty.
    Table(Vec<OutputColumn>),
}

/// One returned column.
#[derive(Clone, Debug)]
pub struct OutputColumn {
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub value: ColumnValue,
}

/// What a returned column shows.
#[derive(Clone, Debug)]
pub enum ColumnValue {
    /// A value.
    Scalar(Expr),
    /// An entity or a relationship, whole.
    Whole(Place),
    /// All properties of an entity or a relationship, each as a column of its own.
    All(Place),
}

/// One sort key.
#[derive(Clone, Debug)]
pub struct OrderKey {
    /// What is sorted by.
    pub value: Expr,
    /// Largest first; what is absent comes last all the same.
    pub descending: bool,
}

impl Expr {
    /// The type of its values; `None` where it is always absent, or a thing and no value.
    #[must_use]
    pub fn value_type(&self) -> Option<ValueType> {
        match self {
            Self::Constant(Value::Text(_)) | Self::Function(Function::Concat, _) => Some(ValueType::Text),
            Self::Constant(Value::Number(_)) | Self::Arithmetic(..) | Self::Negative(_) => {
                Some(ValueType::Number)
            }
            Self::Constant(Value::Flag(_)) => Some(ValueType::Flag),
            Self::Constant(_) | Self::Whole(_) | Self::Property(_, PropertyName::Unknown(_)) => None,
            Self::Column(_, value_type) => *value_type,
            Self::Property(_, PropertyName::Own(_, value_type) | PropertyName::Metadata(_, value_type)) => {
                Some(*value_type)
            }
            Self::Property(_, PropertyName::Tag(name)) => {
                Some(if name == "Production" { ValueType::Flag } else { ValueType::Text })
            }
            Self::Function(Function::Coalesce, values) => values.iter().find_map(Self::value_type),
            Self::Function(Function::Merge, _) => Some(ValueType::Texts),
            Self::Function(..) | Self::Aggregate(..) => Some(ValueType::Number),
        }
    }

    /// Whether a function of many values is in it.
    #[must_use]
    pub fn aggregates(&self) -> bool {
        match self {
            Self::Aggregate(..) => true,
            Self::Arithmetic(_, left, right) => left.aggregates() || right.aggregates(),
            Self::Negative(value) => value.aggregates(),
            Self::Function(_, values) => values.iter().any(Self::aggregates),
            Self::Constant(_) | Self::Property(..) | Self::Whole(_) | Self::Column(..) => false,
        }
    }

    /// Everything on the path that it speaks of.
    pub fn places(&self, found: &mut Vec<Place>) {
        match self {
            Self::Property(place, _) | Self::Whole(place) => found.push(*place),
            Self::Arithmetic(_, left, right) => {
                left.places(found);
                right.places(found);
            }
            Self::Negative(value) => value.places(found),
            Self::Function(_, values) => values.iter().for_each(|value| value.places(found)),
            Self::Aggregate(_, value) => {
                if let Some(value) = value {
                    value.places(found);
                }
            }
            Self::Constant(_) | Self::Column(..) => {}
        }
    }
}

impl Condition {
    /// Everything on the path that it speaks of.
    pub fn places(&self, found: &mut Vec<Place>) {
        match self {
            Self::Constant(_) => {}
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.places(found)),
            Self::Not(part) => part.places(found),
            Self::Compare(comparison) => {
                comparison.left.places(found);
                if let Operand::Value(value) = &comparison.right {
                    value.places(found);
                }
            }
        }
    }

    /// Whether all of its values are such; those of subqueries are not asked.
    pub fn values(&self, is: &mut impl FnMut(&Expr) -> bool) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().all(|part| part.values(is)),
            Self::Not(part) => part.values(is),
            Self::Compare(comparison) => {
                let right = match &comparison.right {
                    Operand::Value(value) => is(value),
                    Operand::Undefined | Operand::Regex { .. } | Operand::Query(_) => true,
                };
                right && is(&comparison.left)
            }
        }
    }

    /// Whether a function of many values is in it.
    #[must_use]
    pub fn aggregates(&self) -> bool {
        !self.values(&mut |value| !value.aggregates())
    }

    /// The same condition with other values; subqueries stay as they are.
    #[must_use]
    pub fn replaced(&self, with: &mut impl FnMut(&Expr) -> Expr) -> Self {
        let mut all = |parts: &[Self]| parts.iter().map(|part| part.replaced(&mut *with)).collect();
        match self {
            Self::Constant(holds) => Self::Constant(*holds),
            Self::And(parts) => Self::And(all(parts)),
            Self::Or(parts) => Self::Or(all(parts)),
            Self::Not(part) => Self::Not(Box::new(part.replaced(with))),
            Self::Compare(comparison) => {
                let mut comparison = comparison.clone();
                comparison.left = with(&comparison.left);
                if let Operand::Value(value) = &mut comparison.right {
                    *value = with(value);
                }
                Self::Compare(comparison)
            }
        }
    }
}
