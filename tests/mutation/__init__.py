"""Do the tests see it when a decision is made otherwise? Each mutant is one small change of the code that decides; a test must fail.

mutants    one module's source, changed in one place at a time
transplant the changed code put into the running module, so that nothing has to be imported again
trial      a process forked for each mutant, with the tests that reach the changed line, the quickest first
"""
