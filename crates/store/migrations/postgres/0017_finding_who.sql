-- Whom each finding is about, by their addresses in small letters.
CREATE TABLE finding_who (
    email TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (email, fingerprint)
);
INSERT INTO finding_who (email, fingerprint)
SELECT DISTINCT who.value, finding.fingerprint
  FROM finding, jsonb_array_elements_text(CAST(finding.document AS jsonb) -> 'who') AS who(value);
