//! Which addresses are nobody else's business: those of this machine, of private nets, and of what only routers know.
//!
//! Names are not looked at; a name is as good as the addresses that it stands for.
//!
//! Invariant: of IPv6, only what is handed out to the public passes, and of that nothing that carries another address.
//!
//! Source: the IANA special-purpose address registries (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Parts of IPv4 that are not the public's: the net, its length in bits, and what it is.
const V4: [([u8; 4], u32, &str); 18] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "a private network"),
    ([100, 64, 0, 0], 10, "a provider's shared network"),
    ([127, 0, 0, 0], 8, "this machine"),
    ([168, 63, 129, 16], 32, "a cloud's metadata service"),
    ([169, 254, 0, 0], 16, "the local link, where clouds have their metadata service"),
    ([172, 16, 0, 0], 12, "a private network"),
    ([192, 0, 0, 0], 24, "reserved for protocols"),
    ([192, 0, 2, 0], 24, "reserved for documentation"),
    ([192, 31, 196, 0], 24, "reserved for protocols"),
    ([192, 52, 193, 0], 24, "reserved for protocols"),
    ([192, 88, 99, 0], 24, "a relay to IPv6"),
    ([192, 168, 0, 0], 16, "a private network"),
    ([198, 18, 0, 0], 15, "reserved for measurements"),
    ([198, 51, 100, 0], 24, "reserved for documentation"),
    ([203, 0, 113, 0], 24, "reserved for documentation"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "reserved, or a broadcast address"),
];

/// What IPv6 hands out to the public.
const PUBLIC: (u128, u32) = (0x2000 << 112, 3);

/// Parts of that which carry other addresses, or are nobody's.
const V6: [(u128, u32, &str); 6] = [
    (0x2001 << 112, 23, "reserved for protocols, Teredo among them"),
    ((0x2001 << 112) | (0x0db8 << 96), 32, "reserved for documentation"),
    (0x2002 << 112, 16, "an IPv4 address in the form of 6to4"),
    ((0x2620 << 112) | (0x004f << 96) | (0x8000 << 80), 48, "reserved for protocols"),
    (0x3ffe << 112, 16, "an experiment that has ended"),
    (0x3fff << 112, 20, "reserved for documentation"),
];

/// What an address is, where nothing is sent to such; `None` for one of the public.
pub(super) fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    let inside = |net: &[u8; 4], bits: u32| {
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        address.to_bits() & mask == u32::from_be_bytes(*net) & mask
    };
    V4.iter().find(|(net, bits, _)| inside(net, *bits)).map(|(_, _, what)| *what)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    let inside = |net: u128, bits: u32| {
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
        address.to_bits() & mask == net & mask
    };
    if !inside(PUBLIC.0, PUBLIC.1) {
        return Some(named(address));
    }
    // ISATAP: the last half holds an IPv4 address.
    if matches!(address.segments(), [_, _, _, _, 0x0000 | 0x0200, 0x5efe, _, _]) {
        return Some("an IPv4 address in the form of ISATAP");
    }
    V6.iter().find(|(net, bits, _)| inside(*net, *bits)).map(|(_, _, what)| *what)
}

/// What an address outside the public part is.
fn named(address: Ipv6Addr) -> &'static str {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "no address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "this machine",
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => "an IPv4 address in disguise",
        [0x64, 0xff9b, ..] => "an IPv4 address behind NAT64",
        [first, ..] if first & 0xfe00 == 0xfc00 => "a private network",
        [first, ..] if first & 0xff80 == 0xfe80 => "the local link or site",
        [first, ..] if first & 0xff00 == 0xff00 => "a multicast address",
        _ => "not handed out to the public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_pass_and_no_other_does() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "3ffd::1",
        ] {
            assert_eq!(forbidden(public.parse().unwrap()), None, "{public}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2a00::5efe:7f00:1",
            "2a00::200:5efe:127.0.0.1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(forbidden(address.parse().unwrap()).is_some(), "{address}");
        }
    }
}
