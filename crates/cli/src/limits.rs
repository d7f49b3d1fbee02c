//! Settings of how much a server takes.
//!
//! Invariant: a setting that is there and cannot be understood is an error, and never passed over.

use std::str::FromStr;
use std::time::Duration;

use metsuke_web::Limits;

use crate::failure::Failure;

const REQUESTS: &str = "METSUKE_REQUESTS_PER_MINUTE";
const CONNECTIONS: &str = "METSUKE_CONNECTIONS";
const ARRIVAL: &str = "METSUKE_ARRIVAL_SECONDS";

/// The variables about it, as they were when the program began.
#[derive(Debug, Default)]
pub(crate) struct ServeLimits {
    requests: Option<String>,
    connections: Option<String>,
    arrival: Option<String>,
}

impl ServeLimits {
    /// Reads them.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self { requests: variable(REQUESTS), connections: variable(CONNECTIONS), arrival: variable(ARRIVAL) }
    }

    /// What they come to, with what nobody set as it is.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is no number, or one that would let nothing in.
    pub(crate) fn limits(&self) -> Result<Limits, Failure> {
        let usual = Limits::default();
        let arrival = number(ARRIVAL, self.arrival.as_deref(), 1_u16)?;
        Ok(Limits {
            requests_per_minute: number(REQUESTS, self.requests.as_deref(), 0)?
                .unwrap_or(usual.requests_per_minute),
            connections: number(CONNECTIONS, self.connections.as_deref(), 1_u16)?
                .map_or(usual.connections, usize::from),
            arrival: arrival.map_or(usual.arrival, |seconds| Duration::from_secs(seconds.into())),
        })
    }
}

/// A number that is at least so large.
fn number<T: FromStr + PartialOrd>(name: &str, text: Option<&str>, least: T) -> Result<Option<T>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<T>() {
        Ok(number) if number >= least => Ok(Some(number)),
        _ => Err(Failure::usage(format!("{name} holds no number that can be taken"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Limits, Failure> {
        let find = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        ServeLimits::read(find).limits()
    }

    #[test]
    fn what_is_set_counts_and_what_is_no_number_is_an_error() {
        assert_eq!(read(&[]).unwrap(), Limits::default());
        let set = read(&[(REQUESTS, "0"), (CONNECTIONS, "8"), (ARRIVAL, "2")]).unwrap();
        assert_eq!((set.requests_per_minute, set.connections, set.arrival), (0, 8, Duration::from_secs(2)));
        for (name, text) in
            [(REQUESTS, "many"), (REQUESTS, "-1"), (CONNECTIONS, "0"), (ARRIVAL, "0"), (ARRIVAL, "1s")]
        {
            assert!(read(&[(name, text)]).is_err(), "{name}={text}");
        }
    }
}
