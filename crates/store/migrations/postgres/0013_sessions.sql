-- Where a session was opened: the address of the machine, and what its browser calls itself, cut. So that somebody knows their own
-- sessions from others; rows of before have neither.
ALTER TABLE sign_in_session ADD COLUMN address TEXT;
ALTER TABLE sign_in_session ADD COLUMN browser TEXT;
