//! What looks after an installation, through its server: the doctor, pruning, backups, other tools' files, and JupiterOne.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use metsuke_simulator::Size;
use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneOptions};
use serde_json::{Value, json};

use super::client::Served;
use super::through::Way;
use crate::house::{House, bare, run};

/// A file of a folder, by its path in it, links by where they lead to within the folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                all.insert(name, target.strip_prefix(folder).unwrap().display().to_string());
            } else if path.is_dir() {
                left.push(path);
            } else {
                all.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    all
}

#[tokio::test]
async fn the_doctor_of_a_server_looks_at_each_connector_and_at_what_they_share() {
    let way = Way::new().await;
    let checks = way.json(&["doctor"]).await;
    let of = |name: &str, connector: Option<&str>| {
        let all = checks.as_array().unwrap();
        all.iter().find(|check| check["check"] == name && check["connector"] == json!(connector)).cloned()
    };
    for name in ["account", "scope", "teams", "budget", "version"] {
        assert!(of(name, Some("acme")).is_some_and(|check| check["status"] != "fail"), "{name}: {checks}");
    }
    for name in ["database", "sealing key", "writes", "kill switch", "keys"] {
        assert_eq!(of(name, None).unwrap()["status"], "ok", "{name}: {checks}");
    }
    assert!(!checks.to_string().contains(way.served.house.heroku.token()), "{checks}");
    way.served.house.heroku.faults().add("unauthorized-401@/account".parse().unwrap());
    let refused = way.remote(&["doctor", "--connector", "acme"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stdout.contains("fail  acme, account: "), "{refused:?}");
    let own = way.remote(&["doctor", "--token-file", "token"]).await;
    assert!(own.code == 2 && own.stderr.contains("with their own tokens"), "{own:?}");
    let unknown = way.remote(&["doctor", "--connector", "nobody"]).await;
    assert_ne!(unknown.code, 0, "{unknown:?}");
}

#[tokio::test]
async fn a_heroku_that_does_not_end_its_answer_keeps_no_doctor_waiting() {
    let way = Way::new().await;
    way.served.house.heroku.faults().add("slow-drip=60000@/teams".parse().unwrap());
    let looked = way.remote(&["doctor", "--format", "json"]).await;
    assert_eq!(looked.code, 1, "{looked:?}");
    let checks: Value = serde_json::from_str(&looked.stdout).unwrap();
    let status = |name: &str| {
        let all = checks.as_array().unwrap();
        all.iter().find(|check| check["check"] == name).map(|check| check["status"].clone())
    };
    for (name, told) in [("answers", "fail"), ("address", "ok"), ("account", "ok"), ("database", "ok")] {
        assert_eq!(status(name), Some(told.into()), "{name}: {checks}");
    }
    assert_eq!(status("teams"), None, "{checks}");
}

#[tokio::test]
async fn a_server_prunes_by_its_own_settings_and_tells_what_went() {
    let for_good =
        ["VERSIONS", "RUNS", "JOBS", "CHANGES", "DELIVERIES"].map(|what| format!("METSUKE_KEEP_{what}_DAYS"));
    let for_good: Vec<(&str, &str)> = for_good.iter().map(|name| (name.as_str(), "0")).collect();
    let way = Way::with(&for_good).await;
    let kept = way.remote(&["prune"]).await;
    assert!(kept.code == 2 && kept.stderr.contains("everything is kept"), "{kept:?}");
    let way = Way::new().await;
    let pruned = way.remote(&["prune"]).await;
    assert_eq!(pruned.code, 0, "{pruned:?}");
    assert!(pruned.stderr.contains("nothing is older"), "{pruned:?}");
    let asked = way.json(&["audit", "list", "--code", "history.prune_asked"]).await;
    assert_eq!(asked.as_array().unwrap().len(), 1, "{asked}");
    assert_eq!(asked[0]["actor"]["kind"], "api_key", "{asked}");
}

#[tokio::test]
async fn a_backup_that_a_server_gives_is_one_that_can_be_restored() {
    let way = Way::new().await;
    let out = tempfile::tempdir().unwrap();
    let (secret, file) = (out.path().join("secret"), out.path().join("metsuke.age"));
    std::fs::write(&secret, "a passphrase of some length\n").unwrap();
    let (secret, file) = (secret.to_str().unwrap(), file.to_str().unwrap());
    let ask = ["backup", "--out", file, "--passphrase-file", secret];
    let told = way.json(&ask).await;
    assert_eq!((&told["connectors"], &told["file"]), (&json!(1), &json!(file)), "{told}");
    assert_eq!(told["bytes"], std::fs::metadata(file).unwrap().len());
    assert!(told["rows"].as_u64().unwrap() > 100, "{told}");
    let again = way.remote(&ask).await;
    assert!(again.code != 0 && again.stderr.contains("never written over"), "{again:?}");

    let other = House::of(Size::Small).await;
    let restored = other.run(&["restore", file, "--passphrase-file", secret]).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let users = ["list", "users", "--format", "csv", "--connector", "acme"];
    assert_eq!(other.run(&users).await.stdout, way.local(&users).await.stdout);

    let refused = way.remote(&["restore", file, "--passphrase-file", secret]).await;
    assert!(refused.code == 2 && refused.stderr.contains("stop the server"), "{refused:?}");
    let made = way.json(&["audit", "list", "--code", "backup.made"]).await;
    assert_eq!(made[0]["actor"]["kind"], "api_key", "{made}");
}

#[tokio::test]
async fn a_backup_without_a_lock_is_asked_for_in_vain() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    for (ask, field) in [
        (json!({}), "recipient"),
        (json!({ "recipient": "age1", "passphrase": "a passphrase of some length" }), "recipient"),
        (json!({ "recipient": "nobody's" }), "recipient"),
        (json!({ "passphrase": "short" }), "passphrase"),
    ] {
        let reply = served.post(&admin, "/api/v1/backup", &ask).await;
        assert_eq!(reply.status, 422, "{ask}: {}", reply.text());
        assert_eq!(reply.json()["error"]["fields"][0]["name"], field, "{ask}: {}", reply.text());
    }
    let asked = served.get(&admin, "/api/v1/audit?code=backup.made").await.rows();
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test]
async fn another_tools_file_is_held_against_a_servers_version_as_against_a_databases() {
    let way = Way::new().await;
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("estate.c1z");
    let file = file.to_str().unwrap();
    assert_eq!(way.local(&["export", "c1z", "--out", file]).await.code, 0);
    for format in ["json", "jsonl", "csv", "table"] {
        for more in [&[][..], &["--as-of", "1"]] {
            let ask = [&["--format", format, "import", "c1z", file][..], more].concat();
            let (remote, local) = (way.remote(&ask).await, way.local(&ask).await);
            assert_eq!((remote.code, &remote.stdout), (0, &local.stdout), "{ask:?}: {remote:?}");
        }
    }
    let missing = way.remote(&["import", "c1z", file, "--sync", "2xKq7mDnVv0Rj4bTQzLw8YcHs1e"]).await;
    assert!(missing.code == 2 && missing.stderr.contains("the file holds no"), "{missing:?}");
    let strange = out.path().join("strange");
    std::fs::write(&strange, "no c1z file").unwrap();
    let strange = way.remote(&["import", "c1z", strange.to_str().unwrap()]).await;
    assert!(strange.code == 2 && strange.stderr.contains("it is no c1z file"), "{strange:?}");
    assert!(!strange.stderr.contains("metsuke-upload"), "{strange:?}");
    let nowhere = way.remote(&["import", "c1z", "nowhere.c1z"]).await;
    assert!(nowhere.code == 2 && nowhere.stderr.contains("cannot be read"), "{nowhere:?}");
}

#[tokio::test]
async fn a_file_needs_its_type_and_may_not_be_empty() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let path = ("POST", "/api/v1/import/c1z");
    let empty = served.send(path, Some(&admin), &[("content-type", "application/octet-stream")], None).await;
    assert_eq!((empty.status, empty.code().as_str()), (400, "malformed"), "{}", empty.text());
    let typed = served.post(&admin, "/api/v1/import/c1z", &json!({})).await;
    assert_eq!(typed.status, 415, "{}", typed.text());
}

#[tokio::test]
async fn the_folder_for_jupiterone_is_the_same_through_a_server() {
    let way = Way::new().await;
    let out = tempfile::tempdir().unwrap();
    for shape in
        [&[][..], &["--profile", "current", "--tag-account-name", "--account-name", "Acme", "--effective"]]
    {
        let (here, there) = (out.path().join("here"), out.path().join("there"));
        let (local_place, remote_place) = (here.to_str().unwrap(), there.to_str().unwrap());
        let ask = |place| [&["--format", "json", "export", "jupiterone", "--out", place][..], shape].concat();
        let (local, remote) = (way.local(&ask(local_place)).await, way.remote(&ask(remote_place)).await);
        assert_eq!((local.code, remote.code), (0, 0), "{remote:?}");
        assert_eq!(remote.stdout.replace(remote_place, local_place), local.stdout);
        assert_eq!(files(&there), files(&here));
    }
    let mine = out.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("diary"), "dear").unwrap();
    let refused = way.remote(&["export", "jupiterone", "--out", mine.to_str().unwrap()]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(std::fs::read_to_string(mine.join("diary")).unwrap(), "dear");
}

#[tokio::test]
async fn a_server_uploads_a_version_to_the_address_of_its_own_settings() {
    let jupiterone = JupiterOne::local(JupiterOneOptions::default()).await.unwrap();
    let way = Way::with(&[("METSUKE_JUPITERONE_URL", &jupiterone.url())]).await;
    let folder = tempfile::tempdir().unwrap();
    let ask = async |more: &[&str]| {
        let mut command = bare(&folder, &[&["--format", "json", "jupiterone", "upload"], more].concat());
        command
            .env("METSUKE_SERVER", format!("http://{}", way.served.address))
            .env("METSUKE_TOKEN", way.token())
            .env("JUPITERONE_ACCOUNT", jupiterone.account())
            .env("JUPITERONE_API_KEY", jupiterone.api_key());
        run(command).await
    };
    let ran = ask(&["--scope", "mine", "--only-original"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["status"], &told["version"]), (&json!("FINISHED"), &json!(1)));
    assert!(jupiterone.graph("mine").count("heroku_team") > 0);
    assert_eq!(jupiterone.graph("mine").count("heroku_addon_attachment"), 0);
    let elsewhere = ask(&["--scope", "mine", "--jupiterone-url", "https://example.com"]).await;
    assert!(elsewhere.code == 2 && elsewhere.stderr.contains("its own settings"), "{elsewhere:?}");
    let uploaded = way.json(&["audit", "list", "--code", "version.uploaded", "--connector", "acme"]).await;
    assert_eq!(uploaded.as_array().unwrap().len(), 1, "{uploaded}");
    assert!(!way.served.log().contains(jupiterone.api_key()));
}
