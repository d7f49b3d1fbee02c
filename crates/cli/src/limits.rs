//! Settings of how much a server takes.
//!
//! Invariant: a setting that is there and cannot be understood is an error, and never passed over.

use std::str::FromStr;
use std::time::Duration;

use metsuke_web::Limits;

use crate::failure::Failure;
use crate::settings::Values;

/// What the settings come to, with what nobody set as it is.
///
/// # Errors
///
/// [`Failure`] for what is no number, or one that would let nothing in.
pub(crate) fn limits(values: &Values) -> Result<Limits, Failure> {
    let usual = Limits::default();
    let arrival = number(values, "server.arrival_seconds", &1_u16)?;
    let taking = number(values, "server.taking_seconds", &1_u16)?;
    Ok(Limits {
        requests_per_minute: number(values, "server.requests_per_minute", &0)?
            .unwrap_or(usual.requests_per_minute),
        connections: number(values, "server.connections", &1_u16)?.map_or(usual.connections, usize::from),
        arrival: arrival.map_or(usual.arrival, |seconds| Duration::from_secs(seconds.into())),
        taking: taking.map_or(usual.taking, |seconds| Duration::from_secs(seconds.into())),
        streams: number(values, "server.streams", &1_u16)?.map_or(usual.streams, usize::from),
    })
}

/// A number that is at least so large.
fn number<T: FromStr + PartialOrd>(values: &Values, name: &str, least: &T) -> Result<Option<T>, Failure> {
    let Some(found) = values.text(name)? else { return Ok(None) };
    match found.value.parse::<T>() {
        Ok(number) if number >= *least => Ok(Some(number)),
        _ => Err(Failure::usage(format!("{} holds no number that can be taken", found.from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Limits, Failure> {
        limits(&Values::of_variables(pairs)?)
    }

    #[test]
    fn what_is_set_counts_and_what_is_no_number_is_an_error() {
        const REQUESTS: &str = "METSUKE_REQUESTS_PER_MINUTE";
        const CONNECTIONS: &str = "METSUKE_CONNECTIONS";
        const ARRIVAL: &str = "METSUKE_ARRIVAL_SECONDS";
        const TAKING: &str = "METSUKE_TAKING_SECONDS";
        const STREAMS: &str = "METSUKE_STREAMS";
        assert_eq!(read(&[]).unwrap(), Limits::default());
        let set = read(&[(TAKING, "3"), (STREAMS, "4")]).unwrap();
        assert_eq!((set.taking, set.streams), (Duration::from_secs(3), 4));
        let set = read(&[(REQUESTS, "0"), (CONNECTIONS, "8"), (ARRIVAL, "2")]).unwrap();
        assert_eq!((set.requests_per_minute, set.connections, set.arrival), (0, 8, Duration::from_secs(2)));
        for (name, text) in
            [(REQUESTS, "many"), (REQUESTS, "-1"), (CONNECTIONS, "0"), (ARRIVAL, "0"), (ARRIVAL, "1s")]
        {
            assert!(read(&[(name, text)]).is_err(), "{name}={text}");
        }
    }
}
