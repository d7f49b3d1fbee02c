//! Values of a branch: constants, properties and what is counted with them.

use super::branch::Branch;
use super::property;
use super::term::Term;
use super::writer::Writer;
use crate::ast::Arithmetic;
use crate::plan::Expr;

/// A value in a branch, for conditions and for columns.
pub(super) fn term(writer: &mut Writer<'_>, branch: &Branch<'_>, expr: &Expr) -> Term {
    match expr {
        Expr::Constant(value) => Term::constant(writer, value),
        Expr::Property(place, name) => property::property(writer, branch, *place, name),
        Expr::Column(place, value_type) => Term::of_column(format!("h.o{place}"), *value_type),
        Expr::Arithmetic(operator, left, right) => {
            let (left, right) = (term(writer, branch, left), term(writer, branch, right));
            arithmetic(writer, *operator, &left, &right)
        }
        Expr::Negative(value) => negative(&term(writer, branch, value)),
        // The checker lets no function come into a condition, and no whole thing.
        Expr::Whole(_) | Expr::Function(..) | Expr::Aggregate(..) => Term::Absent,
    }
}

/// Two numbers and what is done with them; absent where one is no number.
pub(super) fn arithmetic(writer: &Writer<'_>, operator: Arithmetic, left: &Term, right: &Term) -> Term {
    let (Term::Number(left), Term::Number(right)) = (left, right) else { return Term::Absent };
    let (left, right) = (writer.dialect.real(left), writer.dialect.real(right));
    Term::Number(match operator {
        Arithmetic::Add => format!("({left} + {right})"),
        Arithmetic::Subtract => format!("({left} - {right})"),
        Arithmetic::Multiply => format!("({left} * {right})"),
        Arithmetic::Divide => format!("({left} / NULLIF({right}, 0))"),
        Arithmetic::Power => format!(
            "(CASE WHEN {left} = 0 AND {right} < 0 OR {left} < 0 AND {right} <> floor({right}) THEN NULL \
             ELSE power({left}, {right}) END)"
        ),
    })
}

/// A number with its sign turned; absent where it is none.
pub(super) fn negative(value: &Term) -> Term {
    match value {
        Term::Number(number) => Term::Number(format!("(-{number})")),
        _ => Term::Absent,
    }
}
