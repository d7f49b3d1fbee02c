//! Values that nobody wrote: the part of [`random`](crate::random) below conditions.

use metsuke_j1ql::ast::{Arithmetic, Date, Expr, ExprKind, Property, TimeSpan, TimeUnit};
use metsuke_j1ql::span::{Span, Spanned};
use metsuke_testkit::Chance;

use crate::random::date;

/// Names that a property or a column may have, awkward ones among them.
pub(crate) const NAMES: [&str; 16] = [
    "name",
    "tag",
    "AccountName",
    "email",
    "from",
    "to",
    "not",
    "date",
    "now",
    "count",
    "true",
    "with",
    "order",
    "desc",
    "days",
    "cost-center",
];

/// Texts, awkward ones among them.
pub(crate) const TEXTS: [&str; 10] =
    ["", "acme", "it's", "say \"hi\"", r"a\b", r"\'", "two\nlines", "{{name}}", "ünï ✓", "x AS OF 3"];

/// Something at no place.
pub(crate) fn some<T>(node: T) -> Spanned<T> {
    Spanned::new(node, Span::default())
}

fn at_no_place(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

/// A value with at most `deep` levels of operators and functions.
pub(crate) fn expr(chance: &mut Chance, deep: usize) -> Expr {
    at_no_place(if deep == 0 || chance.percent(50) { leaf(chance) } else { branch(chance, deep - 1) })
}

fn branch(chance: &mut Chance, deep: usize) -> ExprKind {
    use Arithmetic::{Add, Divide, Multiply, Power, Subtract};
    match chance.below(4) {
        0 => {
            let function = (*chance.one_of(&["count", "sum", "concat", "coalesce", "round"])).to_owned();
            let least = usize::from(function != "count");
            let many = least + chance.below(3);
            ExprKind::Call {
                function: some(function),
                arguments: (0..many).map(|_| expr(chance, deep)).collect(),
            }
        }
        1 => ExprKind::Negative(Box::new(expr(chance, deep))),
        _ => ExprKind::Binary {
            operator: *chance.one_of(&[Add, Subtract, Multiply, Divide, Power]),
            left: Box::new(expr(chance, deep)),
            right: Box::new(expr(chance, deep)),
        },
    }
}

fn leaf(chance: &mut Chance) -> ExprKind {
    match chance.below(12) {
        0 => ExprKind::Text((*chance.one_of(&TEXTS)).to_owned()),
        1 => ExprKind::Number((*chance.one_of(&["0", "42", "3.25", "-1", "-0.5"])).to_owned()),
        2 => ExprKind::Bool(chance.percent(50)),
        3 => ExprKind::Undefined,
        4 => ExprKind::Date(Date::Now),
        5 => date(chance.one_of::<&str>(&["2024", "2024-01", "2024-01-31", "2024-01-31T10:00:00Z"])).kind,
        6 => span(chance),
        7 => ExprKind::Parameter((*chance.one_of(&["name", "param.name"])).to_owned()),
        8 => ExprKind::Placeholder("some name".to_owned()),
        _ => ExprKind::Property(property(chance)),
    }
}

fn span(chance: &mut Chance) -> ExprKind {
    use TimeUnit::{Day, Hour, Minute, Month, Week, Year};
    let unit = *chance.one_of(&[Minute, Hour, Day, Week, Month, Year]);
    ExprKind::Span(TimeSpan { amount: (*chance.one_of(&["1", "30", "1.5"])).to_owned(), unit })
}

fn property(chance: &mut Chance) -> Property {
    let odd = ["2fa", "a.b", "x]y", "", "7"];
    let segments = (0..=chance.below(3))
        .map(|at| {
            let awkward = chance.percent(10) && at > 0;
            some((*if awkward { chance.one_of(&odd) } else { chance.one_of(&NAMES) }).to_owned())
        })
        .collect();
    Property { segments, all: chance.percent(10) }
}

/// A point in time, with up to `deep` lengths of time added or taken.
pub(crate) fn time(chance: &mut Chance, deep: usize) -> Expr {
    if deep == 0 || chance.percent(40) {
        return match chance.below(3) {
            0 => at_no_place(ExprKind::Date(Date::Now)),
            1 => at_no_place(ExprKind::Parameter("when".to_owned())),
            _ => date("2026-01-31T10:00:00Z"),
        };
    }
    let operator = *chance.one_of(&[Arithmetic::Add, Arithmetic::Subtract]);
    let (left, right) = (Box::new(time(chance, deep - 1)), Box::new(at_no_place(span(chance))));
    at_no_place(ExprKind::Binary { operator, left, right })
}
