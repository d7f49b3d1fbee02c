-- Whom each finding is about, by their addresses in small letters.
CREATE TABLE finding_who (
    email TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (email, fingerprint)
) WITHOUT ROWID;
INSERT INTO finding_who (email, fingerprint)
SELECT DISTINCT who.value, finding.fingerprint
  FROM finding, json_each(finding.document, '$.who') AS who;
