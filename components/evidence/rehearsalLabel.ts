/** Label, with value "true", of a namespace that may be thrown away: the rehearsal's own, or one that a person marks. */
export const REHEARSAL_LABEL = "openbao-raft-migration/rehearsal";
