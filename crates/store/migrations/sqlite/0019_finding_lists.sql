-- What lists and counts of findings look at, apart from their documents, which are large.
CREATE INDEX finding_listed ON finding (number, state, level, rule, opened_at, missing);
