//! Ready questions, and the graph in other tools' forms.

use metsuke_simulator::Size;
use serde_json::Value;

use crate::house::{House, bare, run};

#[tokio::test]
async fn questions_are_listed_by_tag_and_words_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let print = async |arguments: &[&str]| run(bare(&folder, arguments)).await;
    let all = print(&["questions", "--format", "jsonl"]).await.stdout;
    let leavers = print(&["questions", "--tag", "leavers", "--format", "jsonl"]).await.stdout;
    assert!(all.lines().count() >= 60 && leavers.lines().count() < 10, "{leavers}");
    for line in leavers.lines() {
        let question: Value = serde_json::from_str(line).unwrap();
        assert!(question["tags"].as_array().unwrap().contains(&"leavers".into()), "{line}");
        assert!(question["text"].as_str().unwrap().starts_with("FIND "), "{line}");
    }
    let found = print(&["questions", "--search", "LEFT personal"]).await;
    assert!(found.stdout.contains("leavers-personal-apps"), "{found:?}");
    let shown = print(&["questions", "show", "old-invitations"]).await;
    for part in [
        "Which invitations",
        "FIND heroku_team AS t",
        "${days}",
        "30 unless",
        "Tags: ",
        "--question old-invitations",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    let unknown = print(&["questions", "show", "old-invitation"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean `old-invitations`?"), "{unknown:?}");
    let unknown = print(&["questions", "--tag", "leaver"]).await;
    assert!(unknown.code == 2 && unknown.stderr.contains("the tags are "), "{unknown:?}");
}

#[tokio::test]
async fn a_question_is_saved_in_the_database_asked_and_removed() {
    let house = House::synced(Size::Small).await;
    let save = |more: &[&'static str]| {
        [&["questions", "save", "Which teams?", "FIND heroku_team RETURN heroku_team.name"], more].concat()
    };
    let saved = house.run(&save(&["--tag", "own tag"])).await;
    assert_eq!(saved.code, 0, "{saved:?}");
    let id = saved.stdout.split(' ').next().unwrap().to_owned();
    let all = house.run(&["questions"]).await.stdout;
    assert!(all.contains(&id) && all.contains("old-invitations"), "{all}");
    let tagged = house.json(&["questions", "--tag", "own tag"]).await;
    assert_eq!((&tagged[0]["id"], &tagged[0]["source"]), (&id.as_str().into(), &"own".into()), "{tagged}");
    let answer = house.json(&["query", "--question", &id]).await;
    assert!(answer["totalCount"].as_u64().unwrap() > 0, "{answer}");
    let wrong = house.run(&["questions", "save", "What?", "FIND heroku_team WHIT x = 1"]).await;
    assert!(wrong.code == 2 && wrong.stderr.contains('^'), "{wrong:?}");
    let library = house.run(&["questions", "remove", "old-invitations"]).await;
    assert!(library.code == 1 && library.stderr.contains("came with the program"), "{library:?}");
    assert_eq!(house.run(&["questions", "remove", &id]).await.code, 0);
    assert_eq!(house.run(&["query", "--question", &id]).await.code, 2);
    let told = house.run(&["audit", "list"]).await.stdout;
    assert!(told.contains("question.saved") && told.contains("question.removed"), "{told}");
}

#[tokio::test]
async fn a_ready_question_is_asked_with_its_defaults_and_with_other_values() {
    let house = House::synced(Size::Mixed).await;
    let count = async |arguments: &[&str]| {
        let arguments = [&["query", "--question"], arguments].concat();
        house.json(&arguments).await["totalCount"].as_u64().unwrap()
    };
    let (usual, none) =
        (count(&["old-invitations"]).await, count(&["old-invitations", "--var", "days=99999"]).await);
    assert!(usual > 0 && none == 0, "{usual} {none}");
    let refused = async |arguments: &[&str], told: &str| {
        let ran = house.run(&[&["query", "--question"], arguments].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
    };
    refused(&["app-access"], "needs a value for ${app}: the app's name").await;
    refused(&["old-invitations", "--var", "day=7"], "has no ${day}").await;
    refused(&["old-invitation"], "did you mean `old-invitations`?").await;
    refused(&["old-invitations", "FIND *"], "cannot be used with").await;
}

#[tokio::test]
async fn a_graph_goes_out_whole_and_the_same_every_time_whatever_the_names() {
    let house = House::of(Size::Small).await;
    let hostile = "<&\"'\\]]>\u{1}\n\u{1b}[31m";
    let renamed = house.heroku.edit(|world| {
        let app = world.app_names(None).remove(0);
        world.rename_app(&app, hostile)
    });
    assert_eq!(renamed, Some(true));
    assert!([0, 4].contains(&house.run(&["sync", "--quiet"]).await.code));
    for format in ["graphml", "dot", "json", "jsonl"] {
        let file = house.folder.path().join(format);
        let arguments = ["export", "graph", "--effective", "--format", format];
        let printed = house.run(&arguments).await;
        assert_eq!(printed.code, 0, "{printed:?}");
        let written = house.run(&[&arguments[..], &["--out", file.to_str().unwrap()]].concat()).await;
        assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{written:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), printed.stdout, "{format}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!printed.stdout.contains(control), "{format}");
        let shown = match format {
            "graphml" => "&lt;&amp;\"'\\]]&gt;\u{fffd}\n\u{fffd}[31m",
            "dot" => "\"<&amp;\\\"'\\\\]]>\u{fffd}\\n\u{fffd}[31m\"",
            _ => "\"<&\\\"'\\\\]]>\\u0001\\n\\u001b[31m\"",
        };
        assert!(printed.stdout.contains(shown), "{format}");
        if format == "json" {
            let graph: Value = serde_json::from_str(&printed.stdout).unwrap();
            let tree = house.json(&["query", "FIND * (THAT RELATES TO *)? RETURN TREE"]).await;
            assert_eq!(
                graph["vertices"].as_array().unwrap().len(),
                tree["data"]["vertices"].as_array().unwrap().len()
            );
            let stored = |edge: &&Value| edge["relationship"]["_class"][0] != "ACCESSES";
            let edges = graph["edges"].as_array().unwrap();
            assert_eq!(edges.iter().filter(stored).count(), tree["data"]["edges"].as_array().unwrap().len());
            assert!(edges.iter().any(|edge| !stored(&edge)));
        }
    }
    let plain = house.run(&["export", "graph", "--format", "dot", "--quiet"]).await;
    assert!(!plain.stdout.contains("ACCESSES"));
}

#[tokio::test]
async fn formats_of_single_commands_are_refused_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, told) in [
        (&["list", "apps", "--format", "dot"][..], "only `metsuke export graph`"),
        (&["export", "jupiterone", "--out", "x", "--format", "graphml"], "only `metsuke export graph`"),
        (&["export", "graph", "--format", "tree"], "only answers of `metsuke query`"),
        (&["export", "graph"], "a graph is no table"),
    ] {
        let ran = run(bare(&folder, arguments)).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
    }
}
