//! A query as its text says it: names are not resolved yet, and nothing is known of any catalogue.
//!
//! Invariant: printing a query and parsing it again gives the same tree.

use crate::span::{Span, Spanned};

/// A whole query, or a subquery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `UNIQUE`: no returned row twice.
    pub unique: bool,
    /// What the query starts from.
    pub root: Selector,
    /// What comes behind it, in order.
    pub chain: Vec<Link>,
    /// The condition over whole paths.
    pub filter: Option<Filter>,
    /// What to give back; none: the starting entities.
    pub output: Option<Output>,
    /// `HAVING`: the condition on the returned rows, after grouping; it names output aliases and aggregates.
    pub having: Option<Filter>,
    /// Sort keys, most important first.
    pub order: Vec<OrderKey>,
    /// `SKIP`: how many rows to pass over.
    pub skip: Option<Spanned<u64>>,
    /// `LIMIT`: the most rows to give back.
    pub limit: Option<Spanned<u64>>,
    /// `AS OF`: the version or time that is asked about (our own extension).
    pub as_of: Option<Spanned<AsOfText>>,
    /// Where the query stands.
    pub span: Span,
}

/// What `AS OF` names, unread but for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsOfText {
    /// A version's number.
    Version(i64),
    /// A point in time: a date, `date.now` with lengths of time added or taken, or what a placeholder stands for.
    Time(Box<Expr>),
}

/// Which entities stand at one place of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The alternatives; never empty.
    pub entities: Vec<Spanned<EntityName>>,
    /// The condition on the entity's own properties.
    pub filter: Option<Filter>,
    /// The name that the rest of the query calls it by.
    pub alias: Option<Spanned<String>>,
    /// Where it stands.
    pub span: Span,
}

/// One alternative of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityName {
    /// `*`: any entity.
    Any,
    /// A class (first letter upper-case) or a type, as written.
    Named(String),
    /// Full text: every word in any property.
    Text(String),
    /// `#Smart`, `#Production Application`: a configured set, perhaps narrowed.
    Smart {
        /// The set's name, without `#`.
        name: String,
        /// What the set is narrowed to.
        of: Option<Box<Spanned<EntityName>>>,
    },
}

/// One piece of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// `THAT verb entity`.
    Step(Step),
    /// `( … )?`: taken or not.
    Optional(Optional),
}

/// One hop along relationships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `!`: keep what has no such hop. Such a step binds no names, and the rest of its chain belongs to what must not be.
    pub negated: bool,
    /// The verbs, upper-cased, each with its place; empty for `RELATES TO`.
    pub verbs: Vec<Spanned<String>>,
    /// Which way the relationship points.
    pub direction: Direction,
    /// The name of the relationship.
    pub alias: Option<Spanned<String>>,
    /// Where it leads.
    pub target: Selector,
    /// Where it stands.
    pub span: Span,
}

/// Which way a relationship points, seen along the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Either way.
    #[default]
    Either,
    /// `>>`: from the left entity to the right one.
    Forward,
    /// `<<`: from the right entity to the left one.
    Backward,
}

/// A part of a path that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optional {
    /// What is taken or left; never empty.
    pub chain: Vec<Link>,
    /// A condition on the part.
    pub filter: Option<Filter>,
    /// The name of where the path stands behind it, taken or not.
    pub alias: Option<Spanned<String>>,
    /// Where it stands.
    pub span: Span,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them; two or more.
    And(Vec<Filter>),
    /// Any of them; two or more.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// One comparison.
    Compare(Box<Comparison>),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub left: Expr,
    /// How.
    pub operator: Spanned<Operator>,
    /// With what.
    pub right: Right,
    /// Where it stands.
    pub span: Span,
}

/// How two things are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `<=`
    LessOrEqual,
    /// `~=`
    Contains,
    /// `^=`
    StartsWith,
    /// `$=`
    EndsWith,
    /// `!~=`
    NotContains,
    /// `!^=`
    NotStartsWith,
    /// `!$=`
    NotEndsWith,
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// A value or an expression.
    Expr(Expr),
    /// `/pattern/flags`.
    Regex(Spanned<Regex>),
    /// `(a OR b)`: any of these; two or more.
    AnyOf(Vec<Right>),
    /// `(a AND b)`: all of these; two or more.
    AllOf(Vec<Right>),
    /// `(FIND …)`: what another query returns.
    Query(Box<Query>),
}

/// A regular expression, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// The text between the slashes.
    pub pattern: String,
    /// Flag `i`: upper and lower case are the same.
    pub ignore_case: bool,
}

/// Something that has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A text.
    Text(String),
    /// A number, as written (so that two are equal when their texts are): an optional `-`, digits, an optional fraction.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `undefined` or `null`.
    Undefined,
    /// A date.
    Date(Date),
    /// A number with a unit of time, such as `30days`: only beside `date.now` and other times.
    Span(TimeSpan),
    /// `alias.property`, or in a `WITH` a bare property, or a bare alias in `RETURN`.
    Property(Property),
    /// `${name}`: a value that the caller supplies.
    Parameter(String),
    /// `{{name}}`: a placeholder of a saved question that was not replaced.
    Placeholder(String),
    /// A function with its arguments; the name lower-cased.
    Call {
        /// The function.
        function: Spanned<String>,
        /// Its arguments; `count(*)` has none.
        arguments: Vec<Expr>,
    },
    /// Two values and what is done with them.
    Binary {
        /// What is done.
        operator: Arithmetic,
        /// The first.
        left: Box<Expr>,
        /// The second.
        right: Box<Expr>,
    },
    /// `-x`.
    Negative(Box<Expr>),
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}

/// A property's name with what it belongs to, cut at its dots.
///
/// `u.tag.AccountName` has three segments, `[tag.x]` one. Which segments are an alias is settled later: a first segment
/// that is a known alias, class, type or verb is one, and the rest joined by dots is the property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The segments; never empty.
    pub segments: Vec<Spanned<String>>,
    /// It ends in `.*`: all properties.
    pub all: bool,
}

/// A point in time as a query writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Date {
    /// `date.now`.
    Now,
    /// `date(…)`: what stands between the parentheses, checked to be a date, a date with time, a month or a year.
    Literal(String),
}

/// A length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// How many, as written (an optional fraction).
    pub amount: String,
    /// Of what.
    pub unit: TimeUnit,
}

/// A unit of time; months and years are those of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// Twenty-four hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// What `RETURN` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `RETURN TREE` (or `GRAPH`): all entities and relationships on the paths.
    Tree,
    /// Columns; never empty.
    Columns(Vec<Column>),
}

/// One returned column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What it shows.
    pub value: Expr,
    /// What it is called; else the text of `value` as it was written.
    pub alias: Option<Spanned<String>>,
    /// The text of `value` as it was written, without surrounding blanks.
    pub text: String,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    /// A property, an output alias, or an expression.
    pub value: Expr,
    /// `DESC`.
    pub descending: bool,
}
