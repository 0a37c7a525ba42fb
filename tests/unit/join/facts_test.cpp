int x_();
