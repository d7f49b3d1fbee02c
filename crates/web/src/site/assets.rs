//! What pages load: our own style sheet, scripts and picture, inside the program.
//!
//! Their names hold a hash of what they are, so that a browser keeps them for good.
//!
//! Invariant: nothing is loaded from anywhere else, and a name always stands for the same bytes.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::answer::Answer;

/// How long a browser keeps what never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// One thing that pages load.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is.
    pub(crate) place: String,
    media: &'static str,
    bytes: Bytes,
    packed: Bytes,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Assets {
    /// The style sheet.
    pub(crate) style: Asset,
    /// The script of every page.
    pub(crate) script: Asset,
    /// The picture beside an address.
    pub(crate) icon: Asset,
}

/// What this program has in it.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: asset("metsuke", "css", "text/css; charset=utf-8", STYLE),
    script: asset("metsuke", "js", SCRIPT, include_str!("../../assets/metsuke.js")),
    icon: asset("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
});

const STYLE: &str = concat!(
    include_str!("../../assets/style/tokens.css"),
    include_str!("../../assets/style/base.css"),
    include_str!("../../assets/style/layout.css"),
    include_str!("../../assets/style/parts.css"),
    include_str!("../../assets/style/boards.css"),
    include_str!("../../assets/style/house.css"),
);

fn asset(name: &str, kind: &str, media: &'static str, text: &'static str) -> Asset {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    let place = format!("/assets/{name}-{}.{kind}", &hash[..12]);
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    drop(writer.write_all(text.as_bytes()));
    let packed = writer.finish().unwrap_or_default().into();
    Asset { place, media, bytes: Bytes::from_static(text.as_bytes()), packed }
}

/// The asset at a place, packed where the browser takes that.
pub(crate) fn answer(place: &str, headers: &HeaderMap) -> Option<Answer> {
    let all = [&ASSETS.style, &ASSETS.script, &ASSETS.icon];
    let asset = all.into_iter().find(|asset| asset.place == place)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_gzip = accepted.unwrap_or_default().split(',').any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && weight.trim() != "q=0"
    });
    let body = if takes_gzip { asset.packed.clone() } else { asset.bytes.clone() };
    let answer = Answer::typed(StatusCode::OK, asset.media, body)
        .with(header::CACHE_CONTROL, FOR_GOOD)
        .with(header::VARY, "accept-encoding");
    Some(if takes_gzip { answer.with(header::CONTENT_ENCODING, "gzip") } else { answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_kept_for_good_and_packed_on_demand() {
        let mut headers = HeaderMap::new();
        let plain = answer(&ASSETS.style.place, &headers).unwrap();
        headers.insert(header::ACCEPT_ENCODING, "br, gzip;q=0.8".parse().unwrap());
        let packed = answer(&ASSETS.style.place, &headers).unwrap();
        let encoding =
            |answer: &Answer| answer.headers.iter().any(|(name, _)| name == header::CONTENT_ENCODING);
        assert!(encoding(&packed) && !encoding(&plain));
        assert!(answer("/assets/metsuke-000000000000.css", &headers).is_none());
    }
}
