export PS1='dev \w $ '
export EDITOR=less
