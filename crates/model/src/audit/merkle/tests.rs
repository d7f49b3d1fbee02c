use proptest::prelude::*;

use super::*;

/// The leaves and tree heads that implementations of Certificate Transparency test against each other.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn digest(hex: &str) -> Digest {
    Digest(bytes(hex).try_into().unwrap())
}

fn published_leaves() -> Vec<Digest> {
    LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect()
}

/// `n` different leaves.
fn leaves(n: usize) -> Vec<Digest> {
    (0..n).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

/// MTH, word for word as RFC 6962 defines it.
fn defined_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest(Sha256::digest([]).into()),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&defined_root(&leaves[..k]), &defined_root(&leaves[k..]))
        }
    }
}

#[test]
fn the_published_tree_heads_come_out() {
    let leaves = published_leaves();
    let mut frontier = Frontier::default();
    for (size, wanted) in ROOTS.iter().enumerate() {
        assert_eq!(root(&leaves[..size]), digest(wanted), "{size} leaves");
        assert_eq!(frontier.root(), digest(wanted), "{size} leaves");
        leaves.get(size).into_iter().for_each(|leaf| frontier.append(*leaf));
    }
}

#[test]
fn the_published_proofs_come_out() {
    let leaves = published_leaves();
    let wanted = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    let wanted: Vec<Digest> = wanted.into_iter().map(digest).collect();
    assert_eq!(inclusion_proof(&leaves, 0), Some(wanted.clone()));
    assert_eq!(consistency_proof(&leaves, 1), Some(wanted));
    let wanted = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(consistency_proof(&leaves, 6), Some(wanted.into_iter().map(digest).collect()));
}

#[test]
fn the_frontier_of_every_size_has_the_defined_root_and_survives_storing() {
    let leaves = leaves(200);
    let mut frontier = Frontier::default();
    for size in 0..=leaves.len() {
        assert_eq!(frontier.root(), defined_root(&leaves[..size]), "{size} leaves");
        let stored = frontier.to_bytes();
        assert_eq!(stored.len(), 9 + 32 * size.count_ones() as usize);
        frontier = Frontier::from_bytes(&stored).unwrap();
        leaves.get(size).into_iter().for_each(|leaf| frontier.append(*leaf));
    }
}

#[test]
fn damaged_frontiers_are_refused() {
    let mut frontier = Frontier::default();
    for leaf in leaves(6) {
        frontier.append(leaf);
    }
    let stored = frontier.to_bytes();
    for length in 0..stored.len() {
        assert!(Frontier::from_bytes(&stored[..length]).is_err(), "{length} bytes");
    }
    let mut longer = stored.clone();
    longer.push(0);
    assert!(Frontier::from_bytes(&longer).is_err());
    let mut huge = vec![FRONTIER_FORMAT];
    huge.extend([0xff; 8 + 64 * 32]);
    assert!(Frontier::from_bytes(&huge).is_err());
    let newer = [&[2], &stored[1..]].concat();
    assert!(Frontier::from_bytes(&newer).is_err());
}

#[test]
fn every_leaf_of_every_small_log_is_proved_and_no_other() {
    let leaves = leaves(33);
    for size in 1..=leaves.len() {
        let (log, head) = (&leaves[..size], root(&leaves[..size]));
        for index in 0..size {
            let proof = inclusion_proof(log, index).unwrap();
            for (other, leaf) in log.iter().enumerate() {
                let proved = verify_inclusion(*leaf, index as u64, size as u64, &proof, &head);
                assert_eq!(proved, other == index, "leaf {other} as {index} of {size}");
            }
        }
        assert_eq!(inclusion_proof(log, size), None);
    }
}

#[test]
fn every_small_log_is_consistent_with_its_beginnings() {
    let leaves = leaves(33);
    for size in 0..=leaves.len() {
        let (log, head) = (&leaves[..size], root(&leaves[..size]));
        for old in 0..=size {
            let proof = consistency_proof(log, old).unwrap();
            let old_head = root(&log[..old]);
            let new = (size as u64, &head);
            assert!(verify_consistency((old as u64, &old_head), new, &proof), "{old} of {size}");
            let forged = leaf_hash(b"another history");
            assert!(!verify_consistency((old as u64, &forged), new, &proof), "{old} of {size}");
        }
        assert_eq!(consistency_proof(log, size + 1), None);
    }
}

proptest! {
    #[test]
    fn a_root_tells_any_two_logs_apart(
        a in proptest::collection::vec(0_u8..3, 0..12), b in proptest::collection::vec(0_u8..3, 0..12),
    ) {
        let head = |log: &[u8]| root(&log.iter().map(|leaf| leaf_hash(&[*leaf])).collect::<Vec<_>>());
        prop_assert_eq!(head(&a) == head(&b), a == b);
    }

    #[test]
    fn a_changed_proof_proves_nothing(
        size in 2_usize..300, at in any::<prop::sample::Index>(), hash in any::<prop::sample::Index>(),
        bit in 0_usize..256, mutation in 0..3,
    ) {
        let leaves = leaves(size);
        let (head, index) = (root(&leaves), at.index(size));
        let old = index.max(1);
        let change = |mut proof: Vec<Digest>| {
            let len = proof.len();
            match mutation {
                0 if len > 0 => proof[hash.index(len)].0[bit / 8] ^= 1 << (bit % 8),
                1 if len > 0 => drop(proof.remove(hash.index(len))),
                _ => proof.insert(hash.index(len + 1), head),
            }
            proof
        };
        let proof = change(inclusion_proof(&leaves, index).unwrap());
        prop_assert!(!verify_inclusion(leaves[index], index as u64, size as u64, &proof, &head));
        let proof = change(consistency_proof(&leaves, old).unwrap());
        let old_head = root(&leaves[..old]);
        prop_assert!(!verify_consistency((old as u64, &old_head), (size as u64, &head), &proof));
    }

    #[test]
    fn sizes_that_are_no_logs_prove_nothing_and_end(
        index in any::<u64>(), size in any::<u64>(), proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Digest> = proof.into_iter().map(Digest).collect();
        let head = leaf_hash(b"head");
        prop_assert!(!verify_inclusion(head, index, size, &proof, &leaf_hash(b"other")));
        prop_assert!(!verify_consistency((index, &head), (size, &leaf_hash(b"other")), &proof));
    }
}
