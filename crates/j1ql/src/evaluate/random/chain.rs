//! Selectors, steps and optional parts by chance.
//!
//! Invariant: what is named in a negated part is forgotten behind it.

use metsuke_model::graph::EntityType;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;

use super::{Maker, Name, Types, What};

impl Maker<'_> {
    /// A selector of one of these types most of the time, and what it may find.
    pub(super) fn selector(&mut self, fitting: &Types) -> (String, Types) {
        let (entity, named, types) = self.entity(fitting);
        let condition =
            if self.percent(35) { format!(" WITH {}", self.own_condition(&types, 1)) } else { String::new() };
        let alias = if self.percent(60) {
            let alias = self.alias();
            self.names.push(Name { text: alias.clone(), what: What::Entities(types.clone()) });
            format!(" AS {alias}")
        } else {
            // An earlier selector of the same name would be meant instead.
            if let Some(text) = named.filter(|text| self.names.iter().all(|name| name.text != *text)) {
                self.names.push(Name { text, what: What::Entities(types.clone()) });
            }
            String::new()
        };
        (format!("{entity}{condition}{alias}"), types)
    }

    /// A fresh name; a few times in a thousand one that is already given.
    pub(super) fn alias(&mut self) -> String {
        let names = self.names.clone();
        if self.below(250) == 0
            && let Some(name) = self.pick(&names).filter(|name| name.text.starts_with('n'))
        {
            return name.text;
        }
        self.given += 1;
        format!("n{}", self.given)
    }

    /// What is looked for, the name that it is known by, and what it may find.
    fn entity(&mut self, fitting: &Types) -> (String, Option<String>, Types) {
        let all = || ENTITY_TYPES.iter().collect::<Types>();
        let Some(one) = self.one_type(fitting) else { return ("*".to_owned(), None, all()) };
        let of_class =
            |class: &str| ENTITY_TYPES.iter().filter(|known| known.class == class).collect::<Types>();
        match self.below(100) {
            0..=49 => (one.name.to_owned(), Some(one.name.to_owned()), vec![one]),
            50..=64 => (one.class.to_owned(), Some(one.class.to_owned()), of_class(one.class)),
            65..=82 => {
                let other = self.one_type(fitting).unwrap_or(one);
                let mut types = vec![one];
                types.extend(of_class(other.class));
                (format!("({} | {})", one.name, other.class), Some(other.class.to_owned()), types)
            }
            83..=94 => ("*".to_owned(), None, fitting.clone()),
            95..=97 => (self.words(), None, fitting.clone()),
            98 => (format!("#Production {}", one.name), Some(one.name.to_owned()), vec![one]),
            _ => ("Nothing".to_owned(), Some("Nothing".to_owned()), Types::new()),
        }
    }

    fn one_type(&mut self, fitting: &Types) -> Option<&'static EntityType> {
        // Types that the graph has many of come more often.
        let place = self.below(self.graph.entities().len());
        let met = self.graph.entities().get(place).and_then(|entity| EntityType::named(&entity.entity_type));
        let fits = |met: &&'static EntityType| fitting.iter().any(|known| known.name == met.name);
        met.filter(fits).or_else(|| self.pick(fitting))
    }

    /// So many links from entities of these types, and where they may lead.
    pub(super) fn chain(&mut self, mut types: Types, links: usize) -> (String, Types) {
        let mut text = String::new();
        for _ in 0..links {
            if self.deep < 2 && self.percent(22) {
                let (part, reached) = self.optional(types.clone());
                text += &part;
                types.extend(reached);
            } else if self.percent(9) {
                // What comes behind a negated step belongs to it, and so do the names in it.
                let mark = self.names.len();
                let (step, reached) = self.step(&types, true);
                text += &step;
                if self.percent(25) {
                    text += &self.chain(reached, 1).0;
                }
                self.names.truncate(mark);
                break;
            } else {
                let (step, reached) = self.step(&types, false);
                text += &step;
                types = reached;
            }
        }
        (text, types)
    }

    fn optional(&mut self, types: Types) -> (String, Types) {
        self.deep += 1;
        let links = if self.percent(80) { 1 } else { 2 };
        let (chain, reached) = self.chain(types.clone(), links);
        self.deep -= 1;
        let condition = if !self.names.is_empty() && self.percent(15) {
            format!(" WHERE {}", self.path_condition(0))
        } else {
            String::new()
        };
        let mut text = format!(" ({}{condition})?", chain.trim_start());
        if self.percent(25) {
            let alias = self.alias();
            let both = types.into_iter().chain(reached.clone()).collect();
            self.names.push(Name { text: alias.clone(), what: What::Entities(both) });
            text.extend([" AS ", &alias]);
        }
        (text, reached)
    }

    /// One step, most often along a relationship that entities of these types have.
    fn step(&mut self, types: &Types, negated: bool) -> (String, Types) {
        let beside: Vec<_> = RELATIONSHIP_TYPES
            .iter()
            .flat_map(|known| [(known, true), (known, false)])
            .filter(|(known, forward)| {
                let left = if *forward { known.from } else { known.to };
                types.iter().any(|entity| entity.name == left)
            })
            .collect();
        let all: Vec<_> = RELATIONSHIP_TYPES.iter().map(|known| (known, true)).collect();
        let from = if beside.is_empty() || self.percent(5) { &all } else { &beside };
        // There is always some type of relationship.
        let Some((known, forward)) = self.pick(from) else { return (String::new(), types.clone()) };
        let other = self.pick(&all).map_or(known.verb, |(other, _)| other.verb);
        let mut along = vec![known];
        let verb = match self.below(100) {
            0..=54 => known.verb.to_owned(),
            55..=64 => format!("{} TO", known.verb.to_lowercase()),
            65..=80 => {
                along.extend(RELATIONSHIP_TYPES.iter().filter(|known| known.verb == other));
                format!("({} | {other})", known.verb)
            }
            81..=97 => "RELATES TO".to_owned(),
            _ => "KNOWS".to_owned(),
        };
        let direction = match (self.below(100), forward) {
            (0..=54, _) => "",
            (55..=94, true) | (95.., false) => " >>",
            _ => " <<",
        };
        let mut alias = String::new();
        if self.percent(30) {
            let name = self.alias();
            alias = format!(" AS {name}");
            self.names.push(Name { text: name, what: What::Relationships(along) });
        } else if verb == known.verb && self.percent(20) && self.names.iter().all(|name| name.text != verb) {
            self.names.push(Name { text: verb.clone(), what: What::Relationships(along) });
        }
        let far = if forward { known.to } else { known.from };
        let fitting = if self.percent(6) {
            ENTITY_TYPES.iter().collect()
        } else {
            ENTITY_TYPES.iter().filter(|entity| entity.name == far).collect()
        };
        let (target, reached) = self.selector(&fitting);
        let not = if negated { "!" } else { "" };
        (format!(" THAT {not}{verb}{direction}{alias} {target}"), reached)
    }
}
