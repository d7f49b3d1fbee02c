-- What lists and counts of findings look at, apart from their documents, which are large.
CREATE INDEX finding_listed ON finding (number, state, level, rule, opened_at, missing);
-- What is open of each rule, and how much of each level, is counted in the order of this.
DROP INDEX finding_rule;
CREATE INDEX finding_rule ON finding (rule, state, level, missing);
